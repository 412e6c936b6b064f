"""A tenant's API and its description: what `api.<PLAZA_DOMAIN>` serves, and each stall beside its pages."""

from django.urls import include, path

from config.urls_docs import docs_of

handler400 = "config.handlers.bad_request"
handler403 = "config.handlers.permission_denied"
handler404 = "config.handlers.not_found"
handler500 = "config.handlers.server_error"

urlpatterns = [
    path("api/v1/", include("tenants.identity.urls")),
    path("api/v1/", include("tenants.urls")),
    path("api/v1/", include("tenants.outbound.urls")),
    path("api/v1/", include("quotas.urls")),
    path("api/v1/", include("quotas.alerts.urls")),
    path("api/v1/", include("quotas.caps.urls")),
    path("api/v1/", include("billing.urls")),
    path("api/v1/", include("apps.crm.urls")),
    path("api/v1/", include("apps.campaigns.urls")),
    path("api/v1/", include("apps.content.urls")),
    path("", include(docs_of("config.urls_tenant"))),
]
