"""The operators' own trail: what they did, at a tenant or not. It outlives the tenants that it tells of."""

from django.contrib.admin import register
from django.utils.translation import gettext_lazy as _

from apps.console.views.read_only import ReadOnlyAdmin, plain
from apps.console.views.site import site
from tenants.models import OperatorEvent


@register(OperatorEvent, site=site)
class OperatorEventAdmin(ReadOnlyAdmin):
    when = plain("recorded_at", _("when"))
    act = plain("action", _("action"))
    who = plain("operator_id", _("operator"))
    kind = plain("actor_kind", _("actor"))
    about = plain("about_tenant_id", _("tenant"))
    what = plain("object_label", _("object"))
    place = plain("address", _("address"))
    agent = plain("user_agent", _("user agent"))
    asked = plain("request_id", _("request id"))
    was = plain("before", _("before"))
    became = plain("after", _("after"))
    list_display = ("number", "when", "act", "kind", "who", "about", "what", "place")
    list_filter = ("action", "actor_kind")
    search_fields = ("action", "object_id", "object_label", "request_id", "about_tenant_id")
    ordering = ("-number",)
    fields = readonly_fields = (
        *("number", "when", "act", "kind", "who", "about", "what", "object_kind", "object_id"),
        *("place", "agent", "asked", "was", "became", "digest"),
    )
