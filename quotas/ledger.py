"""Usage that is exact: counted in the writer's own transaction, so that unit and work commit together.

A key counts once for ever, and gives back once. Take units as late in the transaction as possible:
the total's row stays locked until the commit, and a tenant's writers queue on it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.db.transaction import TransactionManagementError

from config.needs import Meter
from quotas import api_calls
from quotas.entitlements import Snapshot, snapshot
from quotas.meters import METERS, Window, period_start, resets_at
from quotas.models import UsageEvent, UsageTotal
from quotas.refusals import QuotaExceeded

# The limit is compared inside the UPDATE, not in Python: two writers that both saw one unit left
# would otherwise both take it. A second row under the key makes `event`, and so the rest, empty.
_CONSUME = """
WITH event AS (
    INSERT INTO public.quotas_usageevent
        (tenant_id, meter, key, kind, quantity, period_start, occurred_at)
    VALUES (%(tenant)s, %(meter)s, %(key)s, 'consumed', %(quantity)s, %(period)s, %(now)s)
    ON CONFLICT DO NOTHING
    RETURNING quantity
), counted AS (
    INSERT INTO public.quotas_usagetotal AS total (tenant_id, meter, period_start, used)
    SELECT %(tenant)s, %(meter)s, %(period)s, event.quantity FROM event
     WHERE %(limit)s::bigint IS NULL OR event.quantity <= %(limit)s
    ON CONFLICT (tenant_id, meter, period_start) DO UPDATE
       SET used = total.used + excluded.used
     WHERE %(limit)s::bigint IS NULL OR total.used + excluded.used <= %(limit)s
    RETURNING used
)
SELECT EXISTS (SELECT FROM event), EXISTS (SELECT FROM counted)
"""
# The event keeps what was really given back, so that events always add up to the total.
_REFUND = """
WITH total AS (
    SELECT used FROM public.quotas_usagetotal
     WHERE tenant_id = %(tenant)s AND meter = %(meter)s AND period_start = %(period)s
       FOR UPDATE
), event AS (
    INSERT INTO public.quotas_usageevent
        (tenant_id, meter, key, kind, quantity, period_start, occurred_at)
    SELECT %(tenant)s, %(meter)s, %(key)s, 'refunded',
           LEAST(%(quantity)s, COALESCE((SELECT used FROM total), 0)), %(period)s, %(now)s
    ON CONFLICT DO NOTHING
    RETURNING quantity
)
UPDATE public.quotas_usagetotal AS total SET used = total.used - event.quantity FROM event
 WHERE tenant_id = %(tenant)s AND meter = %(meter)s AND total.period_start = %(period)s
"""


@dataclass(frozen=True, slots=True)
class MeterUsage:
    """One meter of a tenant in the present period. `limit` and `remaining` None are unlimited."""

    meter: Meter
    unit: str
    window: Window
    limit: int | None
    used: int
    remaining: int | None
    resets_at: datetime | None
    hard: bool


def consume(*, tenant_id: UUID, meter: Meter, quantity: int, key: str, now: datetime) -> None:
    """Take `quantity` units under `key`, all or none; the same key again takes nothing.

    Raises QuotaExceeded, with nothing taken, and TransactionManagementError outside a transaction.
    """
    _check(quantity)
    if quantity == 0:
        return
    found = snapshot(tenant_id, now=now)
    limit = found.limit(meter) if METERS[meter].hard else None
    facts = _facts(tenant_id, meter, quantity, key, now) | {"limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(_CONSUME, facts)
        is_new, is_counted = cursor.fetchone()
    if is_new and not is_counted:
        # A writer may catch the refusal and commit what it has: the key must stay unused.
        _events(tenant_id, meter, key, UsageEvent.Kind.CONSUMED).delete()
        raise refusal(
            found, meter=meter, used=_used(tenant_id, meter, now), asked=quantity, now=now
        )


def refund(*, tenant_id: UUID, meter: Meter, quantity: int, key: str, now: datetime) -> None:
    """Give `quantity` units back under `key`, once, never below zero.

    They go back to the period in which `key` took them, if it did; else to the present one.
    """
    _check(quantity)
    facts = _facts(tenant_id, meter, quantity, key, now)
    taken = _events(tenant_id, meter, key, UsageEvent.Kind.CONSUMED)
    facts["period"] = taken.values_list("period_start", flat=True).first() or facts["period"]
    with connection.cursor() as cursor:
        cursor.execute(_REFUND, facts)


def remaining(*, tenant_id: UUID, meter: Meter, now: datetime) -> int | None:
    """Units left in the present period, from 0; None is unlimited."""
    return _left(snapshot(tenant_id, now=now).limit(meter), _used(tenant_id, meter, now))


def usage(*, tenant_id: UUID, now: datetime) -> list[MeterUsage]:
    """Every meter of the tenant; API calls to the last one that Redis has counted."""
    return usage_under(snapshot(tenant_id, now=now), now=now)


def usage_under(found: Snapshot, *, now: datetime) -> list[MeterUsage]:
    """The same for whom the snapshot is at hand."""
    used = _totals(found.tenant_id, METERS, now)
    return [
        MeterUsage(
            meter=meter,
            unit=spec.unit,
            window=spec.window,
            limit=found.limit(meter),
            used=used[meter],
            remaining=_left(found.limit(meter), used[meter]),
            resets_at=resets_at(meter, now),
            hard=spec.hard,
        )
        for meter, spec in METERS.items()
    ]


def refusal(
    found: Snapshot, *, meter: Meter, used: int, asked: int, now: datetime
) -> QuotaExceeded:
    """The refusal of `asked` units when `used` are used already."""
    resets = resets_at(meter, now)
    return QuotaExceeded(
        meter=meter.value,
        limit=found.limit(meter),
        used=used,
        asked=asked,
        resets_at=resets.isoformat().replace("+00:00", "Z") if resets else None,
        upgrade_to=found.upgrade_for(meter, used + asked),
    )


def _check(quantity: int) -> None:
    if quantity < 0:
        raise ValueError("A quantity is a whole number from 0.")
    if not connection.in_atomic_block:
        raise TransactionManagementError("Usage is counted inside the writer's transaction.")


def _facts(tenant_id: UUID, meter: Meter, quantity: int, key: str, now: datetime) -> dict[str, Any]:
    return {
        "tenant": tenant_id,
        "meter": meter.value,
        "quantity": quantity,
        "key": key,
        "period": period_start(meter, now),
        "now": now,
    }


def _events(tenant_id: UUID, meter: Meter, key: str, kind: UsageEvent.Kind) -> QuerySet[UsageEvent]:
    return UsageEvent.objects.filter(tenant_id=tenant_id, meter=meter.value, key=key, kind=kind)


def _used(tenant_id: UUID, meter: Meter, now: datetime) -> int:
    return _totals(tenant_id, [meter], now)[meter]


def _totals(tenant_id: UUID, meters: Collection[Meter], now: datetime) -> dict[Meter, int]:
    """Used units of the present periods in one query, and one more for API calls."""
    rows = UsageTotal.objects.filter(tenant_id=tenant_id, meter__in=meters)
    known = {(row.meter, row.period_start): row.used for row in rows}
    used = {meter: known.get((meter.value, period_start(meter, now)), 0) for meter in meters}
    if Meter.API_CALLS in used:
        used[Meter.API_CALLS] = api_calls.used(tenant_id=tenant_id, now=now)
    return used


def _left(limit: int | None, used: int) -> int | None:
    return None if limit is None else max(0, limit - used)
