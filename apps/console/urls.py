"""`/console/` on the square."""

from django.urls import path

from apps.console.views import (
    endings,
    hosts,
    invoices,
    messages,
    money,
    people,
    providers,
    tax_profiles,
    tenants,
    trail,
)
from apps.console.views.site import site

__all__ = [
    "endings",
    "hosts",
    "invoices",
    "messages",
    "money",
    "people",
    "providers",
    "site",
    "tax_profiles",
    "tenants",
    "trail",
    "urlpatterns",
]

urlpatterns = [path("", site.urls)]
