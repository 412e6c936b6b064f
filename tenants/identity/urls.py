"""Identity under /api/v1/ of a tenant."""

from django.urls import path

from tenants.identity.sso.views import (
    Sso,
    SsoDomainDetail,
    SsoDomainProof,
    SsoDomains,
    SsoRemoval,
)
from tenants.identity.views.auth import Login, Logout, LogoutEverywhere, Refresh, Token
from tenants.identity.views.credentials import (
    EmailChange,
    EmailChangeConfirmation,
    PasswordChange,
    PasswordReset,
    PasswordResetConfirmation,
)
from tenants.identity.views.keys import ApiKeyDetail, ApiKeyRotate, ApiKeys
from tenants.identity.views.people import Me, Members
from tenants.identity.views.roles import Permissions, RoleDetail, Roles
from tenants.identity.views.second_factor import (
    App,
    AppConfirmation,
    Policy,
    RecoveryCodes,
    SecondFactor,
    SecondFactorRemoval,
)
from tenants.identity.views.sessions import SessionDetail, Sessions

urlpatterns = [
    path("auth/token", Token.as_view(), name="auth-token"),
    path("auth/login", Login.as_view(), name="auth-login"),
    path("auth/refresh", Refresh.as_view(), name="auth-refresh"),
    path("auth/logout", Logout.as_view(), name="auth-logout"),
    path("auth/logout-everywhere", LogoutEverywhere.as_view(), name="auth-logout-everywhere"),
    path("auth/password-reset", PasswordReset.as_view(), name="password-reset"),
    path(
        "auth/password-reset/confirm",
        PasswordResetConfirmation.as_view(),
        name="password-reset-confirm",
    ),
    path(
        "auth/email-change/confirm",
        EmailChangeConfirmation.as_view(),
        name="email-change-confirm",
    ),
    path("me/password", PasswordChange.as_view(), name="my-password"),
    path("me/email", EmailChange.as_view(), name="my-email"),
    path("me/sessions", Sessions.as_view(), name="my-sessions"),
    path("me/sessions/<uuid:pk>", SessionDetail.as_view(), name="my-session"),
    path("me/second-factor", SecondFactor.as_view(), name="my-second-factor"),
    path("me/second-factor/totp", App.as_view(), name="my-app"),
    path("me/second-factor/totp/confirm", AppConfirmation.as_view(), name="my-app-confirm"),
    path("me/second-factor/recovery-codes", RecoveryCodes.as_view(), name="my-recovery-codes"),
    path("me/second-factor/remove", SecondFactorRemoval.as_view(), name="my-second-factor-remove"),
    path("sign-in-policy", Policy.as_view(), name="sign-in-policy"),
    path("me", Me.as_view(), name="me"),
    path("users/profile", Me.as_view(), name="users-profile"),
    path("members", Members.as_view({"get": "list"}), name="members"),
    path("permissions", Permissions.as_view(), name="permissions"),
    path("roles", Roles.as_view(), name="roles"),
    path("roles/<uuid:pk>", RoleDetail.as_view(), name="role"),
    path("api-keys", ApiKeys.as_view({"get": "list", "post": "create"}), name="api-keys"),
    path("api-keys/<uuid:pk>", ApiKeyDetail.as_view(), name="api-key"),
    path("api-keys/<uuid:pk>/rotate", ApiKeyRotate.as_view(), name="api-key-rotate"),
    path("sso", Sso.as_view(), name="sso"),
    path("sso/remove", SsoRemoval.as_view(), name="sso-remove"),
    path("sso-domains", SsoDomains.as_view({"get": "list", "post": "create"}), name="sso-domains"),
    path("sso-domains/<uuid:pk>", SsoDomainDetail.as_view(), name="sso-domain"),
    path("sso-domains/<uuid:pk>/verify", SsoDomainProof.as_view(), name="sso-domain-verify"),
]
