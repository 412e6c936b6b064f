"""A stall's addresses. Every view here declares its needs (checked at the start)."""

from django.urls import include, path

from config.urls_api import urlpatterns as api_urls

handler400 = "config.handlers.bad_request"
handler403 = "config.handlers.permission_denied"
handler404 = "config.handlers.not_found"
handler500 = "config.handlers.server_error"

urlpatterns = [
    *api_urls,
    path("", include("config.urls_reference")),
    path("", include("tenants.identity.urls_pages")),
    path("", include("apps.portal.urls")),
]
