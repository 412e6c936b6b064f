"""What was used, as rating wants to know it: the ledger's totals against what stands in invoices.

A period is billed once it is over. What reaches the ledger later (reported late, or corrected) makes
the total differ from the units that were billed: the next invoice bills the difference and says so.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, OuterRef, Q, Subquery

from billing.models import BilledUsage, Subscription
from billing.rating.terms import Period, Usage
from billing.services.coupons import coupons_in
from billing.services.terms import Part, parts_of, spec_of
from config.needs import Meter
from quotas.meters import METERS
from quotas.models import Grant, UsageTotal
from quotas.periods import MONTHS_IN, Window

# How long after its end a period's total is watched for what comes late.
_WATCHED = timedelta(days=400)
# What is given beside plan and add-ons raises the allowance; what is subscribed, rating knows by itself.
_GIVEN = Q(source__startswith="gift:") | Q(source__startswith="credit:")
_OVERRIDE = Q(source__startswith="override:")


def usage_of(row: Subscription, period: Period) -> tuple[Usage, ...]:
    """The use of `period`, which is over, by each of its parts; and what came late of those before."""
    return (*_of_period(row, period, _totals(row, period.starts_at)), *_late(row, period.starts_at))


def late_use(row: Subscription, *, before: datetime) -> tuple[Usage, ...]:
    """What came late of billed periods that began before; of one currency, the others' with the next call."""
    late = list(_late(row, before))
    return tuple(each for each in late if each.terms.currency == late[0].terms.currency)


def tenants_with_late_use(*, now: datetime) -> set[UUID]:
    """Tenants of whom the ledger has other units than stand in invoices, in periods that are watched."""
    total = UsageTotal.objects.filter(
        tenant_id=OuterRef("tenant_id"),
        meter=OuterRef("meter"),
        period_start=OuterRef("period_start"),
    )
    billed = BilledUsage.objects.filter(period_end__gte=now - _WATCHED)
    other = billed.annotate(total=Subquery(total.values("used"))).exclude(units=F("total"))
    return set(other.filter(total__isnull=False).values_list("tenant_id", flat=True))


def used_so_far(row: Subscription, period: Period) -> dict[str, int]:
    """The period's totals by meter."""
    return _totals(row, period.starts_at)


def mark_billed(row: Subscription, usage: tuple[Usage, ...]) -> None:
    """Remember what stands in an invoice, in its own transaction; the last part of a period counts."""
    # Of a period's parts the last is told last.
    rows = {
        (each.meter, each.period.starts_at): BilledUsage(
            tenant_id=row.tenant_id,
            meter=each.meter.value,
            period_start=each.period.starts_at,
            period_end=each.period.ends_at,
            units=each.quantity,
        )
        for each in usage
    }
    BilledUsage.objects.bulk_create(
        rows.values(),
        update_conflicts=True,
        unique_fields=["tenant_id", "meter", "period_start"],
        update_fields=["units", "period_end"],
    )


def _of_period(row: Subscription, period: Period, totals: Mapping[str, int]) -> Iterator[Usage]:
    parts = parts_of(row, period)
    for number, part in enumerate(parts):
        is_last = number + 1 == len(parts)
        at_end = totals if is_last else parts[number + 1].used_before
        grants = _beside_plan(row, part)
        coupons = coupons_in(row, part.terms, at=part.starts_at)
        for meter in _billed_meters(part):
            yield Usage(
                meter=meter,
                terms=part.terms,
                period=period,
                quantity=at_end.get(meter.value, 0),
                quantity_before=part.used_before.get(meter.value, 0),
                extra=_given(grants, meter, part),
                starts_at=part.starts_at,
                ends_at=part.ends_at,
                coupons=coupons,
            )


def _billed_meters(part: Part) -> list[Meter]:
    metered = spec_of(part.terms).metered
    return [meter for meter in metered if METERS[meter].window is Window.BILLING_PERIOD]


def _totals(row: Subscription, period_start: datetime) -> dict[str, int]:
    found = UsageTotal.objects.filter(tenant_id=row.tenant_id, period_start=period_start)
    return dict(found.values_list("meter", "used"))


def _late(row: Subscription, before: datetime) -> Iterator[Usage]:
    """What came of earlier periods since they were billed, under the terms that held last in each."""
    billed = BilledUsage.objects.filter(
        tenant_id=row.tenant_id, period_end__gte=before - _WATCHED, period_start__lt=before
    )
    for kept in billed.order_by("period_start", "meter"):
        totals = _totals(row, kept.period_start)
        if totals.get(kept.meter, 0) == kept.units:
            continue
        period = Period(kept.period_start, kept.period_end)
        its_own = [u for u in _of_period(row, period, totals) if u.meter.value == kept.meter]
        yield from (replace(used, billed=kept.units, is_late=True) for used in its_own[-1:])


def _beside_plan(row: Subscription, part: Part) -> list[Grant]:
    """Gifts, credits and overrides that were in force in the part."""
    grants = Grant.objects.filter(
        _GIVEN | _OVERRIDE, tenant_id=row.tenant_id, granted_at__lt=part.ends_at
    )
    return list(grants.filter(Q(expires_at=None) | Q(expires_at__gt=part.starts_at)))


def _given(grants: Sequence[Grant], meter: Meter, part: Part) -> int:
    """Units of allowance from gifts, credits and an override."""
    overrides = [each for each in grants if each.source.startswith("override:")]
    given: int = sum(each.adds.get(meter.value, 0) for each in grants if each not in overrides)
    return max(given, _by_override(overrides, meter, part))


def _by_override(overrides: Sequence[Grant], meter: Meter, part: Part) -> int:
    """How far an override's total is above the plan's."""
    said: list[int] = [
        grant.limits[meter.value]
        for grant in overrides
        if grant.limits.get(meter.value) is not None
    ]
    included: int = (spec_of(part.terms).limits[meter] or 0) * MONTHS_IN[part.terms.interval]
    return max([0, *(limit - included for limit in said)])
