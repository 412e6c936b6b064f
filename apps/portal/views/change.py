"""A change of what is paid for: first what it costs, to the cent, and then, confirmed, the change itself."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.utils import timezone

from apps.portal.pages import page
from apps.portal.quotes import quote_card
from billing import catalogue
from billing.services import amending
from billing.services.changes import change_subscription
from billing.services.wishes import Wish
from billing.subscription_shapes import WishIn, wish_of
from config.api import parse
from config.context import Place, require_tenant
from config.needs import Needs, Permission
from tenants.identity.caller import caller_of

# Who must pay to go on must reach this, whatever else is refused.
_MONEY = Needs(
    read=Permission.BILLING_READ, write=Permission.BILLING_WRITE, meter=None, critical=True
)
_ASKED = ("plan", "interval", "currency", "seats", "coupon")


@page(_MONEY, "GET", "POST", place=Place.SQUARE)
def change(request: HttpRequest) -> HttpResponse:
    """`/plan/change?plan=&interval=&currency=&seats=&coupon=`: what it would cost; posted, it holds.

    What is left out, or empty, stays. Posted with the `quoted_at` of the page, whose amounts then hold.
    """
    if request.method == "POST":
        return _change(request, timezone.now())
    return _preview(request, timezone.now())


def _wish(given: QueryDict) -> tuple[dict[str, str], Wish]:
    told = {name: str(given.get(name, "")).strip() for name in (*_ASKED, "quoted_at")}
    asked = {name: value for name, value in told.items() if value}
    return asked, wish_of(parse(WishIn, asked))


def _preview(request: HttpRequest, now: datetime) -> HttpResponse:
    asked, wish = _wish(request.GET)
    quote = amending.preview(tenant_id=require_tenant().id, wish=wish, now=now)
    facts = {
        "here": "plan",
        "card": quote_card(quote),
        "asked": asked | {"quoted_at": quote.quoted_at.isoformat()},
        "may_buy": _MONEY.write in caller_of(request).permissions,
    }
    return render(request, "portal/change.html", facts)


def _change(request: HttpRequest, now: datetime) -> HttpResponse:
    _, wish = _wish(request.POST)
    amended = change_subscription(tenant_id=require_tenant().id, wish=wish, now=now)
    if not amended.consent_url:
        return HttpResponseRedirect("/plan")
    plan = catalogue.plan(wish.plan or amended.row.plan)
    facts = {"here": "plan", "plan": plan, "checkout_url": amended.consent_url}
    return render(request, "portal/checkout.html", facts)
