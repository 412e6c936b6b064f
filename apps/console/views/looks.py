"""What an operator may look at of one tenant, whatever its state: what was refused, and why."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from unfold.enums import ActionVariant

from apps.console.tenant_page import refusals_table
from apps.console.views.read_only import button, row_or_404
from tenants.models import Tenant

_MOST_REFUSALS = 100
_LONGEST_ID = 64
# The paths of the buttons, which are the methods' names.
LOOKS = ("refusals",)


class TenantLooks:
    """Pages at `<id>/<path>/` that change nothing."""

    admin_site: Any
    opts: Any

    @button(_("Refusals"), path="refusals", variant=ActionVariant.DEFAULT)
    def refusals(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """`?request_id=` finds one request."""
        tenant = row_or_404(Tenant, object_id)
        wanted = request.GET.get("request_id", "").replace("\0", "").strip()[:_LONGEST_ID]
        table = refusals_table(tenant.pk, most=_MOST_REFUSALS, request_id=wanted)
        facts = {
            **self.admin_site.each_context(request),
            "title": _("Refusals"),
            "subject": tenant,
            "wanted": wanted,
            "panel": table,
            "opts": self.opts,
        }
        return TemplateResponse(request, "console/refusals.html", facts)
