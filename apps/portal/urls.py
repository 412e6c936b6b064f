"""A tenant's portal."""

from django.urls import path

from apps.portal.views import (
    audit,
    contacts,
    credentials,
    exports,
    home,
    imports,
    invitation,
    language,
    plan,
    reference,
    sign_in,
    unsubscribe,
    usage,
)

urlpatterns = [
    path("", home.home, name="home"),
    path("login", sign_in.login, name="login"),
    path("invitation", invitation.invitation, name="invitation"),
    path("unsubscribe/<str:token>", unsubscribe.unsubscribe, name="unsubscribe"),
    path("logout", sign_in.logout, name="logout"),
    path("password-reset", credentials.ask, name="password-reset-page"),
    path("password-reset/confirm", credentials.choose, name="password-reset-confirm-page"),
    path("email-change/confirm", credentials.confirm, name="email-change-confirm-page"),
    path("contacts", contacts.contacts, name="portal-contacts"),
    path("imports", imports.imports, name="portal-imports"),
    path("imports/<uuid:import_id>/row", imports.row, name="portal-import-row"),
    path("imports/<uuid:import_id>/errors", imports.errors, name="portal-import-errors"),
    path("imports/<uuid:import_id>/resume", imports.resume, name="portal-import-resume"),
    path("imports/<uuid:import_id>/cancel", imports.cancel, name="portal-import-cancel"),
    path("exports", exports.exports, name="portal-exports"),
    path("exports/<uuid:archive_id>/row", exports.row, name="portal-export-row"),
    path("exports/<uuid:archive_id>/download", exports.download, name="portal-export-download"),
    path("audit", audit.audit, name="portal-audit"),
    path("audit/export.csv", audit.export, name="portal-audit-export"),
    path("plan", plan.plan, name="portal-plan"),
    path("plan/confirmation", plan.confirmation, name="portal-confirmation"),
    path("plan/checkout", plan.checkout, name="portal-checkout"),
    path("usage", usage.usage, name="portal-usage"),
    path("usage/spend-cap", usage.spend_cap, name="portal-spend-cap"),
    path("usage/why", usage.refused, name="portal-why"),
    path("reference", reference.reference, name="reference"),
    path("i18n/setlang", language.choose, name="set_language"),
]
