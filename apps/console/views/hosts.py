"""The hosts at which tenants answer."""

from django.contrib.admin import register
from django.utils.translation import gettext_lazy as _

from apps.console.views.read_only import ReadOnlyAdmin, plain
from apps.console.views.site import site
from tenants.models import Domain


@register(Domain, site=site)
class DomainAdmin(ReadOnlyAdmin):
    host = plain("domain", _("host"))
    owner = plain("tenant", _("tenant"))
    primary = plain("is_primary", _("primary"), boolean=True)
    begun = plain("created_at", _("since"))
    list_display = fields = readonly_fields = ("host", "owner", "primary", "begun")
    list_select_related = ("tenant",)
    list_filter = ("is_primary",)
    search_fields = ("domain", "tenant__slug")
    ordering = ("domain",)
