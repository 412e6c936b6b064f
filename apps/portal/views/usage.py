"""Usage: each meter against the plan, what was refused of late, and why."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from apps.portal.pages import page
from apps.portal.standing import meter_rows
from config.context import require_tenant
from config.needs import Needs
from quotas import explanations
from quotas.wording import why
from tenants.identity.caller import caller_of

_OPEN_TO_THE_REFUSED = Needs(meter=None, critical=True)
_MOST = 20
_LONGEST_ID = 64


@page(_OPEN_TO_THE_REFUSED, "GET")
def usage(request: HttpRequest) -> HttpResponse:
    """`/usage`: the meters, and the last refusals that the reader may see."""
    tenant_id = require_tenant().id
    refusals = explanations.recent(
        tenant_id=tenant_id, of=explanations.shown_to(caller_of(request)), most=_MOST
    )
    facts = {
        "here": "usage",
        "meters": meter_rows(tenant_id, now=timezone.now()),
        "refusals": [why(each) for each in refusals],
    }
    return render(request, "portal/usage.html", facts)


@page(_OPEN_TO_THE_REFUSED, "GET")
def refused(request: HttpRequest) -> HttpResponse:
    """`/usage/why?request_id=`: one refusal in words. A page of a refusal leads here."""
    found = explanations.find(
        tenant_id=require_tenant().id,
        request_id=request.GET.get("request_id", "").strip()[:_LONGEST_ID],
        of=explanations.shown_to(caller_of(request)),
    )
    return render(request, "portal/why.html", {"here": "usage", "why": why(found)})
