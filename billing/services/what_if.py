"""What a month would have been on another plan: its usage and its refusals against that plan's contents.

PostgreSQL adds up: one window over the tenant's events in their order, one count of its refusals. What
is replayed is what happened, so a figure says "at least": whoever had been refused at the first moment
may have gone on otherwise. Overrides and add-ons are those in force now; what they were then is not kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext_lazy as _

from billing.models import Subscription
from billing.services.catalogues import catalogue_of
from billing.services.grants import SOURCE, as_granted
from billing.services.subscriptions import find_plan, subscription_of
from config.errors import ValidationFailed
from config.needs import Meter
from quotas import entitlements
from quotas.merging import Snapshot, merged
from quotas.meters import EPOCH, METERS, Aggregation
from quotas.refused import Refusals, refusals_under

# Events of each period that reaches into the month are added up from that period's beginning; of a
# lifetime with what retention has dropped. What is kept as totals alone (API calls, largest, last and
# different values) has no first moment.
_REPLAY = """
WITH told AS (
    SELECT * FROM unnest(%(meters)s::text[], %(limits)s::bigint[]) AS told (meter, allowed)
), changes AS (
    SELECT meter, period_start, occurred_at, id,
           CASE kind WHEN 'refunded' THEN -quantity ELSE quantity END AS change
      FROM public.quotas_usageevent
     WHERE tenant_id = %(tenant)s AND meter = ANY(%(meters)s) AND occurred_at < %(end)s
       AND (period_start = %(epoch)s OR (period_start > %(oldest)s AND period_start < %(end)s))
), running AS (
    SELECT meter, period_start, occurred_at, change, sum(change) OVER (
               PARTITION BY meter, period_start ORDER BY occurred_at, id
               ROWS UNBOUNDED PRECEDING) AS used
      FROM changes
), carried AS (
    SELECT meter, carried FROM public.quotas_usagetotal
     WHERE tenant_id = %(tenant)s AND meter = ANY(%(meters)s) AND period_start = %(epoch)s
), before AS (
    SELECT meter, sum(change) AS used FROM changes
     WHERE period_start = %(epoch)s AND occurred_at < %(start)s GROUP BY meter
), shown AS (
    SELECT meter, occurred_at, change,
           used + CASE WHEN period_start = %(epoch)s THEN coalesce(carried.carried, 0) ELSE 0 END AS used
      FROM running LEFT JOIN carried USING (meter) WHERE occurred_at >= %(start)s
)
SELECT told.meter,
       greatest(coalesce(max(shown.used), 0),
                coalesce(max(before.used), 0) + coalesce(max(carried.carried), 0))::bigint,
       min(shown.occurred_at) FILTER (WHERE shown.change > 0 AND shown.used > told.allowed)
  FROM told LEFT JOIN shown USING (meter) LEFT JOIN before USING (meter)
  LEFT JOIN carried USING (meter)
 GROUP BY told.meter
"""
_TOTALS = """
SELECT meter, max(used) FROM public.quotas_usagetotal
 WHERE tenant_id = %(tenant)s AND meter = ANY(%(meters)s)
   AND (period_start = %(epoch)s OR (period_start >= %(start)s AND period_start < %(end)s))
 GROUP BY meter
"""
_LONGEST_PERIOD = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class MeterReplay:
    """`used` is the most in use in one period of the month; `limit` None is unlimited.

    `first_refused_at` is None where nothing would have been refused, and for what is kept as a total
    alone (API calls). `over`: units of `used` above the limit.
    """

    meter: Meter
    unit: str
    used: int
    limit: int | None
    over: int
    first_refused_at: datetime | None


@dataclass(frozen=True, slots=True)
class Prices:
    """Minor units of `currency` for one `interval`, of the present plan and of the other."""

    currency: str
    interval: str
    present_minor: int
    other_minor: int

    @property
    def difference_minor(self) -> int:
        return self.other_minor - self.present_minor


@dataclass(frozen=True, slots=True)
class Replay:
    """One month [`start`, `end`) on `plan`. Features are those that it would add to, or take from, today's."""

    plan: str
    present_plan: str
    start: datetime
    end: datetime
    meters: list[MeterReplay]
    features_gained: list[str]
    features_lost: list[str]
    refusals: list[Refusals]
    prices: Prices


def replay(*, tenant_id: UUID, plan: str, start: datetime, now: datetime) -> Replay:
    """The month that begins at `start` (UTC), as it would have been on `plan`; the present one so far.

    On the square, for refusals of the last PLAZA_EXPLAIN_DAYS only. Raises ValidationFailed, NotFound.
    """
    spec = find_plan(plan)
    row = subscription_of(tenant_id)
    end = (start + timedelta(days=32)).replace(day=1)
    present = entitlements.snapshot(tenant_id, now=now)
    other = _under(present, plan=spec.key)
    return Replay(
        plan=spec.key,
        present_plan=row.plan,
        start=start,
        end=end,
        meters=_meters(other, start, end),
        features_gained=sorted(other.features - present.features),
        features_lost=sorted(present.features - other.features),
        refusals=refusals_under(other, start=start, end=end),
        prices=_prices(row, spec.key),
    )


def month_of(text: str, *, now: datetime) -> datetime:
    """The first moment (UTC) of the month that `text` names, as 2026-10; of the last whole one where it is empty.

    Raises ValidationFailed for what is no month, and for one that has not begun.
    """
    first = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    if not text:
        return (first - timedelta(days=1)).replace(day=1)
    try:
        start = datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC)
    except ValueError:
        raise ValidationFailed(errors={"month": [_("A month is written like 2026-10.")]}) from None
    if start > first:
        raise ValidationFailed(errors={"month": [_("This month has not begun.")]})
    return start


def _under(present: Snapshot, *, plan: str) -> Snapshot:
    """The present snapshot with `plan` in the place of its plan."""
    granted = as_granted(tenant_id=present.tenant_id, plan=plan)
    others = [each for each in present.grants if each.source != SOURCE]
    ordered = sorted([*others, granted], key=lambda each: -each.priority)
    return merged(present.tenant_id, ordered, hold=present.hold)


def _meters(other: Snapshot, start: datetime, end: datetime) -> list[MeterReplay]:
    facts: dict[str, Any] = {
        "tenant": other.tenant_id,
        "start": start,
        "end": end,
        "epoch": EPOCH,
        "oldest": start - _LONGEST_PERIOD,
    }
    replayed = [meter for meter in METERS if _has_events(meter)]
    totals = [meter for meter in METERS if not _has_events(meter)]
    limits = [other.limit(meter) if other.is_hard(meter) else None for meter in replayed]
    rows = _asked(_REPLAY, facts | {"meters": _names(replayed), "limits": limits})
    rows += [(*row, None) for row in _asked(_TOTALS, facts | {"meters": _names(totals)})]
    found = {meter: (used, first) for meter, used, first in rows}
    return [_meter(meter, other, *found.get(meter.value, (0, None))) for meter in METERS]


def _has_events(meter: Meter) -> bool:
    """API calls are counted without an event each; only sums can be replayed event by event."""
    return meter is not Meter.API_CALLS and METERS[meter].aggregation is Aggregation.SUM


def _names(meters: Sequence[Meter]) -> list[str]:
    return [meter.value for meter in meters]


def _asked(statement: str, facts: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, facts)
        return list(cursor.fetchall())


def _meter(meter: Meter, other: Snapshot, used: int, first: datetime | None) -> MeterReplay:
    limit = other.limit(meter)
    over = 0 if limit is None else max(0, used - limit)
    return MeterReplay(meter, METERS[meter].unit, used, limit, over, first)


def _prices(row: Subscription, plan: str) -> Prices:
    return Prices(
        currency=row.currency,
        interval=row.interval,
        present_minor=_price(row, row.plan),
        other_minor=_price(row, plan),
    )


def _price(row: Subscription, plan: str) -> int:
    found = (
        catalogue_of(row.catalogue_version)
        .plan(plan)
        .price(currency=row.currency, interval=row.interval)
    )
    return found.amount_minor if found else 0
