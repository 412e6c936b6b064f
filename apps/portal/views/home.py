"""Home: where the tenant stands, what is happening, what to do next."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.portal.import_rows import recent_imports
from apps.portal.pages import page
from apps.portal.standing import MeterRow, Standing, meter_rows, standing_of
from config.context import require_tenant
from config.needs import Meter, Needs

_RECENT = 5


@dataclass(frozen=True, slots=True)
class Step:
    title: Promise
    why: Promise
    url: str


@page(Needs(meter=None, critical=True), "GET")
def home(request: HttpRequest) -> HttpResponse:
    """`/` of a tenant."""
    now, tenant = timezone.now(), require_tenant()
    standing, meters = standing_of(tenant.id, now=now), meter_rows(tenant.id, now=now)
    facts = {
        "here": "home",
        "plan": standing.plan,
        "standing": standing,
        "meters": meters,
        "steps": list(_steps(standing, meters)),
        "imports": recent_imports(most=_RECENT),
    }
    return render(request, "portal/home.html", facts)


def _steps(standing: Standing, meters: Sequence[MeterRow]) -> Iterator[Step]:
    used = {row.key: row.used for row in meters}
    if any(row.level for row in meters):
        yield Step(_("See which plan allows more"), _("A limit of your plan is near."), "/plan")
    if not used.get(Meter.CONTACTS):
        yield Step(_("Bring your customers along"), _("Upload a CSV or XLSX file."), "/imports")
    else:
        yield Step(_("Look through your contacts"), _("Search by name or e-mail."), "/contacts")
    if standing.trial_ends_at:
        yield Step(_("Choose a plan"), _("Afterwards the free plan's limits apply."), "/plan")
    yield Step(_("Try the API"), _("Everything here can be done by a program."), "/docs")
