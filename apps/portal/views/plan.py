"""The plan: what it allows, what is used, and how to get more."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone

from apps.portal.offers import INTERVAL, offers
from apps.portal.pages import page
from apps.portal.standing import Standing, meter_rows, standing_of
from billing.models import Provider
from billing.services.changes import Offer as Purchase
from billing.services.changes import change_plan, start_checkout
from billing.services.subscriptions import find_plan
from config.context import require_tenant
from config.needs import Needs, Role
from tenants.identity.caller import caller_of, tenant_of
from tenants.services import url_of

# Who must pay to go on must reach this, whatever else is refused.
_MONEY = Needs(read=Role.READ_ONLY, write=Role.BILLING, meter=None, critical=True)


@page(_MONEY, "GET")
def plan(request: HttpRequest) -> HttpResponse:
    """`/plan?wanted=`: the plans, with the one marked that a refusal named."""
    now, tenant = timezone.now(), require_tenant()
    standing = standing_of(tenant.id, now=now)
    role = caller_of(request).role
    facts = {
        "here": "plan",
        "plan": standing.plan,
        "standing": standing,
        "meters": meter_rows(tenant.id, now=now),
        "offers": offers(standing.currency),
        "wanted": request.GET.get("wanted", ""),
        "may_buy": role is not None and role.permits(_MONEY.write),
    }
    return render(request, "portal/plan.html", facts)


@page(_MONEY, "POST")
def checkout(request: HttpRequest) -> HttpResponse:
    """`/plan/checkout` with `plan`: on to the provider, who says when it is paid.

    The answer is a page with the way on, not a redirect: browsers hold a form's redirects to another
    host against `form-action 'self'`.
    """
    now, tenant = timezone.now(), require_tenant()
    spec = find_plan(request.POST.get("plan", ""))
    standing = standing_of(tenant.id, now=now)
    url = _way_on(request, standing, spec.key)
    if not url:
        return HttpResponseRedirect("/plan")
    facts = {"here": "plan", "plan": spec, "checkout_url": url}
    return render(request, "portal/checkout.html", facts)


def _way_on(request: HttpRequest, standing: Standing, plan_key: str) -> str:
    """The provider's page to go to; empty where the change needs none."""
    tenant = tenant_of(request)
    if standing.is_collected:
        _, consent_url = change_plan(tenant_id=tenant.id, plan=plan_key, now=timezone.now())
        return consent_url
    purchase = Purchase(
        plan=plan_key,
        interval=INTERVAL,
        currency=standing.currency,
        provider=Provider.STRIPE,
        success_url=f"{url_of(tenant)}/plan",
    )
    return start_checkout(tenant_id=tenant.id, offer=purchase).url
