"""`/console/` on the square."""

from django.urls import path

from apps.console.views import endings, hosts, messages, money, people, tenants, trail
from apps.console.views.site import site

__all__ = [
    "endings",
    "hosts",
    "messages",
    "money",
    "people",
    "site",
    "tenants",
    "trail",
    "urlpatterns",
]

urlpatterns = [path("", site.urls)]
