"""People, by what they say of themselves: never a hash, a session or a factor."""

from django.contrib.admin import register

from apps.console.views.read_only import ReadOnlyAdmin
from apps.console.views.site import site
from tenants.models import Person


@register(Person, site=site)
class PersonAdmin(ReadOnlyAdmin):
    list_display = ("email", "name", "kind", "is_active", "created_at", "last_login")
    list_filter = ("kind", "is_active")
    search_fields = ("email", "name")
    ordering = ("-created_at",)
    fields = (("email", "name"), ("kind", "is_active"), ("locale", "last_login"), "created_at")
    readonly_fields = ("created_at",)
