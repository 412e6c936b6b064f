"""Tenants that are gone: what went, and the certificate that outlives them."""

from django.contrib.admin import register
from django.utils.translation import gettext_lazy as _

from apps.console.views.read_only import ReadOnlyAdmin, plain
from apps.console.views.site import site
from tenants.models import Erasure


@register(Erasure, site=site)
class ErasureAdmin(ReadOnlyAdmin):
    name = plain("slug", _("name"))
    begun = plain("began_at", _("erased since"))
    finished = plain("finished_at", _("erased entirely"))
    gone = plain("tenant_id", _("tenant"))
    certified = plain("certificate", _("certificate"))
    list_display = ("name", "begun", "finished", "gone")
    search_fields = ("slug", "tenant_id")
    ordering = ("-began_at",)
    fields = readonly_fields = (*list_display, "certified", "id")
