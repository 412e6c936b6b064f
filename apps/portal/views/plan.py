"""The plan: what it allows, what is used, and how to get more."""

from datetime import UTC, datetime, timedelta

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django_htmx.http import HttpResponseClientRefresh

from apps.portal.offers import INTERVAL, offers
from apps.portal.pages import page
from apps.portal.shares import share_rows
from apps.portal.standing import Standing, meter_rows, standing_of
from billing import catalogue
from billing.models import Provider
from billing.services.changes import Offer as Purchase
from billing.services.changes import change_plan, start_checkout
from billing.services.subscriptions import find_plan
from billing.views import exports
from config.context import Place, require_tenant
from config.needs import Needs, Permission
from tenants.identity.caller import caller_of, tenant_of
from tenants.services import url_of

# Who must pay to go on must reach this, whatever else is refused.
_MONEY = Needs(write=Permission.BILLING_WRITE, meter=None, critical=True)
# The provider's webhook is handled within seconds; whoever waits longer is told so.
_PATIENCE = timedelta(seconds=30)


@page(_MONEY, "GET", place=Place.SQUARE)
def plan(request: HttpRequest) -> HttpResponse:
    """`/plan?wanted=&paid=`: the plans, with the one marked that a refusal named.

    `paid` is the plan with which the provider sent the buyer back: until the subscription has it, the
    page waits and sells nothing.
    """
    now, tenant = timezone.now(), require_tenant()
    standing = standing_of(tenant.id, now=now)
    granted = caller_of(request).permissions
    paid = _paid_plan(request)
    facts = {
        "here": "plan",
        "paid": paid,
        "is_confirmed": paid is not None and standing.paid_plan == paid.key,
        "is_waiting": paid is not None and standing.paid_plan != paid.key,
        "since": int(now.timestamp()),
        "plan": standing.plan,
        "standing": standing,
        "meters": meter_rows(tenant.id, now=now),
        "shares": share_rows(tenant),
        "offers": offers(standing.currency),
        "terms": standing.terms,
        "currencies": catalogue.CURRENCIES,
        "wanted": request.GET.get("wanted", ""),
        "may_export": exports.NEEDS.write in granted,
        "may_buy": _MONEY.write in granted,
    }
    return render(request, "portal/plan.html", facts)


@page(_MONEY, "GET", place=Place.SQUARE)
def confirmation(request: HttpRequest) -> HttpResponse:
    """`/plan/confirmation?paid=&since=`, asked by the waiting page: 204 to go on waiting, a reload
    once the plan is there, and a notice instead when `since` (epoch seconds) is too long ago.
    """
    now, paid = timezone.now(), _paid_plan(request)
    if paid is not None and standing_of(require_tenant().id, now=now).paid_plan == paid.key:
        return HttpResponseClientRefresh()
    if paid is not None and now - _moment(request.GET.get("since", "")) < _PATIENCE:
        return HttpResponse(status=204)
    return render(request, "portal/parts/confirmation.html", {"paid": paid, "is_late": True})


def _paid_plan(request: HttpRequest) -> catalogue.PlanSpec | None:
    """Anybody can write this into an address: it changes what is shown, never what is granted."""
    return next((spec for spec in catalogue.plans() if spec.key == request.GET.get("paid")), None)


def _moment(seconds: str) -> datetime:
    """That moment, or long ago where it is none."""
    is_one = seconds.isascii() and seconds.isdigit() and len(seconds) <= 10
    return datetime.fromtimestamp(int(seconds) if is_one else 0, tz=UTC)


@page(_MONEY, "POST", place=Place.SQUARE)
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
        success_url=f"{url_of(tenant)}/plan?paid={plan_key}",
    )
    return start_checkout(tenant_id=tenant.id, offer=purchase).url
