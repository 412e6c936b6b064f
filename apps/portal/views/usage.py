"""Usage: each meter against the plan, what was refused of late, and why."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone

from apps.portal.pages import page
from apps.portal.spending import minor_units, spending_card
from apps.portal.standing import meter_rows
from config.context import Place, at_place, require_tenant
from config.errors import ValidationFailed
from config.needs import Needs, Permission
from quotas import explanations
from quotas.caps.services import cap_spending
from quotas.entitlements import snapshot
from quotas.merging import Cap
from quotas.wording import why
from tenants.identity.caller import caller_of

_OPEN_TO_THE_REFUSED = Needs(read=Permission.USAGE_READ, meter=None, critical=True)
_MONEY = Needs(
    meter=None, critical=True, read=Permission.BILLING_READ, write=Permission.BILLING_WRITE
)
_MOST = 20
_LONGEST_ID = 64


@page(_OPEN_TO_THE_REFUSED, "GET")
def usage(request: HttpRequest) -> HttpResponse:
    """`/usage`: the meters, what use above them costs, and the last refusals that the reader may see."""
    return _usage(request)


@page(_MONEY, "POST")
def spend_cap(request: HttpRequest) -> HttpResponse:
    """`/usage/spend-cap`: posted with `cap`, an amount of money; empty is none."""
    tenant_id, now = require_tenant().id, timezone.now()
    try:
        amount = minor_units(request.POST.get("cap", ""))
        with at_place(Place.SQUARE):
            unit = snapshot(tenant_id, now=now).budget_unit
            cap_spending(
                tenant_id=tenant_id,
                cap=None if amount is None else Cap(amount, unit),
                by=caller_of(request).credential_id,
                now=now,
            )
    except ValidationFailed as refused:
        return _usage(request, refused=refused)
    return HttpResponseRedirect("/usage")


def _usage(request: HttpRequest, *, refused: ValidationFailed | None = None) -> HttpResponse:
    tenant_id, now = require_tenant().id, timezone.now()
    caller = caller_of(request)
    refusals = explanations.recent(
        tenant_id=tenant_id, of=explanations.shown_to(caller), most=_MOST
    )
    facts = {
        "here": "usage",
        "meters": meter_rows(tenant_id, now=now),
        "spending": spending_card(tenant_id, now=now),
        "may_cap": _MONEY.write in caller.permissions,
        "cap_asked": request.POST.get("cap", "")[:_LONGEST_ID],
        "cap_errors": refused.facts["errors"]["cap"] if refused else [],
        "refusals": [why(each) for each in refusals],
    }
    status = refused.status if refused else 200
    return render(request, "portal/usage.html", facts, status=status)


@page(_OPEN_TO_THE_REFUSED, "GET")
def refused(request: HttpRequest) -> HttpResponse:
    """`/usage/why?request_id=`: one refusal in words. A page of a refusal leads here."""
    found = explanations.find(
        tenant_id=require_tenant().id,
        request_id=request.GET.get("request_id", "").strip()[:_LONGEST_ID],
        of=explanations.shown_to(caller_of(request)),
    )
    return render(request, "portal/why.html", {"here": "usage", "why": why(found)})
