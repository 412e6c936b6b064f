"""A day's usage of each meter: a small table of what the totals stood at, read every minute.

Kept apart from the ledger's events, for three reasons: API calls have no events, events are pruned by
retention, and 56 days of a busy tenant are millions of events where here they are 56 rows. A reading
only ever says what the total is now, so reading twice, late, or not at all for an hour loses nothing:
units of a missed day are counted on the next one that was read.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Coalesce

from config.needs import Meter
from quotas.alerts.models import UsageDay
from quotas.forecast import MOST_DAYS
from quotas.meters import METERS, Window
from quotas.models import UsageTotal
from quotas.present import PRESENT_TOTALS, Reading, present_periods, read

_KEPT_DAYS = MOST_DAYS + 14
_READ = """
INSERT INTO public.quotas_usageday (tenant_id, meter, day, period_start, used)
SELECT present.tenant_id, present.meter, %(today)s, present.period_start, present.used
  FROM (@present_totals) AS present
ON CONFLICT (tenant_id, meter, day) DO UPDATE SET period_start = excluded.period_start, used = excluded.used
 WHERE (quotas_usageday.period_start, quotas_usageday.used) <> (excluded.period_start, excluded.used)
RETURNING tenant_id, meter, period_start, used
""".replace("@present_totals", PRESENT_TOTALS)


@dataclass(frozen=True, slots=True)
class DailyUsage:
    """Whole days' usage in order, `last_day` the last; empty where nothing is known yet."""

    days: tuple[int, ...] = ()
    last_day: date = date.min


def read_days(*, now: datetime) -> list[Reading]:
    """Write down what every total stands at today, and tell those that are news. Old days are forgotten."""
    today = _day(now)
    with connection.cursor() as cursor:
        cursor.execute(_READ, present_periods(now) | {"today": today})
        changed = read(cursor.fetchall())
    UsageDay.objects.filter(day__lt=today - timedelta(days=_KEPT_DAYS)).delete()
    return changed


def daily_usage(
    *, tenant_id: UUID, meters: Collection[Meter], now: datetime
) -> dict[Meter, DailyUsage]:
    """What each meter took on the whole days before today, up to 56. One query."""
    today = _day(now)
    totals = UsageTotal.objects.filter(
        tenant_id=tenant_id, meter=OuterRef("meter"), period_start=OuterRef("period_start")
    )
    rows = UsageDay.objects.filter(
        tenant_id=tenant_id,
        meter__in=[meter.value for meter in meters],
        day__gte=today - timedelta(days=MOST_DAYS + 1),
        day__lt=today,
    )
    rows = rows.annotate(in_all=Coalesce(Subquery(totals.values("used")[:1]), F("used")))
    readings: dict[str, list[Any]] = defaultdict(list)
    for row in rows.order_by("meter", "day"):
        readings[row.meter].append(row)
    return {meter: _differences(meter, readings[meter.value], today) for meter in meters}


def _differences(meter: Meter, rows: Sequence[Any], today: date) -> DailyUsage:
    """From readings at days' ends to what each day took; a day without a reading took nothing."""
    if not rows:
        return DailyUsage()
    starts_again = METERS[meter].window is not Window.LIFETIME
    by_day = {row.day: row for row in rows}
    first = rows[0]
    # What was used before the first reading has no day, unless the period began on that one.
    begins = starts_again and first.period_start.astimezone(UTC).date() == first.day
    day = first.day if begins else first.day + timedelta(days=1)
    before = None if begins else first
    taken: list[int] = []
    while day < today:
        row = by_day.get(day)
        taken.append(_taken(row, before) if row else 0)
        before = row or before
        day += timedelta(days=1)
    return DailyUsage(tuple(taken[-MOST_DAYS:]), today - timedelta(days=1))


def _taken(row: Any, before: Any | None) -> int:
    """What came between two readings. Periods may turn at noon: the former one's last units count too."""
    if before is None:
        return int(row.used)
    if before.period_start == row.period_start:
        return int(row.used - before.used)
    return int(row.used + max(0, before.in_all - before.used))


def _day(now: datetime) -> date:
    return now.astimezone(UTC).date()
