"""Identity on the square: the key set of access tokens, new passwords, and the pages to the OpenID provider and back."""

from django.urls import path

from tenants.identity.views import openid
from tenants.identity.views.credentials import PasswordReset, PasswordResetConfirmation
from tenants.identity.views.key_set import KeySet

urlpatterns = [
    path(".well-known/jwks.json", KeySet.as_view(), name="key-set"),
    path("api/v1/auth/password-reset", PasswordReset.as_view(), name="password-reset"),
    path(
        "api/v1/auth/password-reset/confirm",
        PasswordResetConfirmation.as_view(),
        name="password-reset-confirm",
    ),
    path("login/openid", openid.depart, name="openid-depart"),
    path("login/openid/callback", openid.come_back, name="openid-callback"),
    path("login/openid/link", openid.confirm_link, name="openid-link"),
]
