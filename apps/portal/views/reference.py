"""`/reference`: plans, meters and error codes, from the code that enforces them."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.portal.labels import UNITS, WINDOWS
from apps.portal.offers import INTERVAL, is_of_use, known_currency
from apps.portal.pages import OPEN, page
from billing import catalogue
from billing.catalogue import PlanSpec
from config.errors import all_errors
from config.needs import Feature, Meter
from quotas.meters import METERS
from tenants.outbound.events import known_events


@page(OPEN, "GET")
def reference(request: HttpRequest) -> HttpResponse:
    """`/reference?currency=`, on the square and at every tenant."""
    is_square = getattr(request, "tenant", None) is None
    facts = {
        "frame": "portal/square_frame.html" if is_square else "portal/frame.html",
        "here": "reference",
        "plans": _plans(known_currency(request.GET.get("currency"))),
        "meter_keys": [meter.value for meter in Meter],
        "meters": [(spec, UNITS[spec.meter], WINDOWS[spec.window]) for spec in METERS.values()],
        "events": known_events().values(),
        "errors": all_errors(),
    }
    return render(request, "portal/reference.html", facts)


def _plans(currency: str) -> list[dict[str, Any]]:
    rows, below = [], frozenset[Feature]()
    for spec in catalogue.plans():
        requests, seconds = spec.rates["tenant"]
        rows.append(
            {
                "key": spec.key,
                "price": spec.price(currency=currency, interval=INTERVAL),
                "limits": [(_is_of_use(spec, meter), spec.limits[meter]) for meter in Meter],
                "requests": requests,
                "seconds": seconds,
                "adds": sorted(spec.features - below),
            }
        )
        below = spec.features
    return rows


def _is_of_use(spec: PlanSpec, meter: Meter) -> bool:
    return is_of_use(meter, features=spec.features, limit=spec.limits[meter])
