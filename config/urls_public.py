"""The square's addresses. Upper floors are named by strings."""

from django.urls import include, path

from config.urls_docs import docs_of

handler400 = "config.handlers.bad_request"
handler403 = "config.handlers.permission_denied"
handler404 = "config.handlers.not_found"
handler500 = "config.handlers.server_error"

urlpatterns = [
    path("api/v1/", include("billing.urls_square")),
    path("webhooks/", include("billing.urls_webhooks")),
    path("console/", include("apps.console.urls")),
    path("", include(docs_of("config.urls_public"))),
    path("", include("config.urls_reference")),
    path("", include("tenants.identity.urls_square")),
    path("", include("apps.portal.urls_square")),
]
