"""What is subscribed beside the plan, granted downward: bought seats and add-ons on top of the plan's limits."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from billing.catalogue import AddOnSpec
from billing.models import Subscription
from billing.rating.terms import Terms
from billing.services.catalogues import catalogue_of
from billing.services.extras import Extra, Source, give
from billing.services.grants import in_period
from billing.services.terms import present_terms, spec_of
from config.needs import Meter
from quotas import entitlements
from quotas.models import Grant
from quotas.periods import MONTHS_IN

BY, REASON = "billing", "subscribed"
SEATS = "seats"


def bought_seats(terms: Terms) -> int:
    """Seats above those that the plan includes; of a plan without a limit none are bought."""
    included = spec_of(terms).limits[Meter.SEATS]
    return max(0, terms.seats - included) if included is not None else 0


@transaction.atomic
def grant_beside_plan(row: Subscription, *, now: datetime) -> None:
    """Grant what the present terms have beside the plan, and take back what they have no more."""
    terms = present_terms(row)
    wanted = _extras(terms) if terms else {}
    granted = Grant.objects.filter(tenant_id=row.tenant_id, granted_by=BY, reason=REASON)
    for source in granted.exclude(source__in=wanted).values_list("source", flat=True):
        entitlements.withdraw(tenant_id=row.tenant_id, source=source)
    for extra in wanted.values():
        give(tenant_id=row.tenant_id, extra=extra, by=BY, reason=REASON, now=now)


def _extras(terms: Terms) -> Mapping[str, Extra]:
    catalogue = catalogue_of(terms.catalogue_version)
    extras = [
        _add_on(catalogue.add_ons[key], quantity, MONTHS_IN[terms.interval])
        for key, quantity in terms.add_ons
    ]
    if seats := bought_seats(terms):
        extras.append(Extra(Source.ADD_ON, SEATS, adds={Meter.SEATS: seats}))
    return {extra.name: extra for extra in extras}


def _add_on(spec: AddOnSpec, quantity: int, months: int) -> Extra:
    adds = {
        meter: in_period(meter, units * quantity, months) or 0 for meter, units in spec.adds.items()
    }
    return Extra(Source.ADD_ON, spec.key, adds=adds, features=sorted(spec.features))
