"""What an operator may look at of one tenant, whatever its state: what was refused, and another plan."""

from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.enums import ActionVariant

from apps.console.money_pages import month_page, panels_of_costs
from apps.console.tenant_page import refusals_table
from apps.console.views.read_only import button, row_or_404
from apps.console.what_if_page import panels_of
from billing import catalogue
from billing.services.what_if import month_of, replay
from config.errors import DomainError
from tenants.models import Tenant

_MOST_REFUSALS = 100
_LONGEST_ID = 64
# The paths of the buttons, which are the methods' names.
LOOKS = ("refusals", "what_if", "costs")


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

    @button(_("What if"), path="what_if", variant=ActionVariant.DEFAULT)
    def what_if(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """`?plan=&month=`: a month as it would have been on that plan."""
        tenant, now = row_or_404(Tenant, object_id), timezone.now()
        plan, month = request.GET.get("plan", ""), request.GET.get("month", "")
        facts: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": _("What if this tenant had been on another plan?"),
            "subject": tenant,
            "plans": catalogue.plans(),
            "plan": plan,
            "month": month or f"{month_of('', now=now):%Y-%m}",
            "opts": self.opts,
        }
        try:
            if plan:
                start = month_of(month, now=now)
                found = replay(tenant_id=tenant.pk, plan=plan, start=start, now=now)
                facts["panels"] = panels_of(found)
        except DomainError as refused:
            errors = refused.facts.get("errors", {})
            facts["fault"] = "; ".join(str(text) for texts in errors.values() for text in texts)
            facts["fault"] = facts["fault"] or refused.detail
        return TemplateResponse(request, "console/what_if.html", facts)

    @button(_("Costs"), path="costs", variant=ActionVariant.DEFAULT)
    def costs(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """`?month=`: what it used, and what that costs us, by app, member, key and campaign."""
        tenant, now = row_or_404(Tenant, object_id), timezone.now()
        month = request.GET.get("month", "")
        facts = {
            **self.admin_site.each_context(request),
            **month_page(month, now=now, panels=partial(panels_of_costs, tenant.pk)),
            "title": _("What this tenant's use costs"),
            "subject": tenant,
            "opts": self.opts,
        }
        return TemplateResponse(request, "console/month.html", facts)
