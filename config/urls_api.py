"""A tenant's API and its description: what `api.<PLAZA_DOMAIN>` serves, and each stall beside its pages."""

from django.urls import include, path

from config.routes import by_first_segment
from config.urls_docs import docs_of

handler400 = "config.handlers.bad_request"
handler403 = "config.handlers.permission_denied"
handler404 = "config.handlers.not_found"
handler500 = "config.handlers.server_error"

_API = (
    "tenants.identity.urls",
    "tenants.urls",
    "tenants.outbound.urls",
    "tenants.trail.urls",
    "quotas.urls",
    "quotas.alerts.urls",
    "quotas.caps.urls",
    "billing.urls",
    "apps.crm.urls",
    "apps.campaigns.urls",
    "apps.content.urls",
)

urlpatterns = [
    by_first_segment("api/v1/", _API),
    path("", include(docs_of("config.urls_tenant"))),
]
