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
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from config.needs import Meter
from quotas.alerts.models import UsageDay
from quotas.forecast import MOST_DAYS
from quotas.meters import METERS, Window, period_start

_KEPT_DAYS = MOST_DAYS + 14
_READ = """
INSERT INTO public.quotas_usageday (tenant_id, meter, day, period_start, used)
SELECT total.tenant_id, total.meter, %s, total.period_start, total.used
  FROM public.quotas_usagetotal AS total
 WHERE total.meter = ANY(%s) AND total.period_start = %s
ON CONFLICT (tenant_id, meter, day) DO UPDATE SET period_start = excluded.period_start, used = excluded.used
 WHERE quotas_usageday.used <> excluded.used
RETURNING tenant_id, meter, used
"""


class Reading(NamedTuple):
    """What a tenant's meter stands at in the present period."""

    tenant_id: UUID
    meter: Meter
    used: int


@dataclass(frozen=True, slots=True)
class DailyUsage:
    """Whole days' usage in order, `last_day` the last; empty where nothing is known yet."""

    days: tuple[int, ...] = ()
    last_day: date = date.min


def read_days(*, now: datetime) -> list[Reading]:
    """Write down what every total stands at today, and tell those that are news. Old days are forgotten."""
    today = _day(now)
    meters_by_period: dict[datetime, list[str]] = defaultdict(list)
    for meter in METERS:
        meters_by_period[period_start(meter, now)].append(meter.value)
    changed: list[Reading] = []
    with connection.cursor() as cursor:
        for period, meters in meters_by_period.items():
            cursor.execute(_READ, [today, meters, period])
            changed += [
                Reading(tenant_id, Meter(meter), used)
                for tenant_id, meter, used in cursor.fetchall()
            ]
    UsageDay.objects.filter(day__lt=today - timedelta(days=_KEPT_DAYS)).delete()
    return changed


def daily_usage(
    *, tenant_id: UUID, meters: Collection[Meter], now: datetime
) -> dict[Meter, DailyUsage]:
    """What each meter took on the whole days before today, up to 56. One query."""
    today = _day(now)
    rows = UsageDay.objects.filter(
        tenant_id=tenant_id,
        meter__in=[meter.value for meter in meters],
        day__gte=today - timedelta(days=MOST_DAYS + 1),
        day__lt=today,
    ).order_by("meter", "day")
    readings: dict[str, list[UsageDay]] = defaultdict(list)
    for row in rows:
        readings[row.meter].append(row)
    return {meter: _differences(meter, readings[meter.value], today) for meter in meters}


def _differences(meter: Meter, rows: Sequence[UsageDay], today: date) -> DailyUsage:
    """From readings at days' ends to what each day took; a day without a reading took nothing."""
    if not rows:
        return DailyUsage()
    starts_again = METERS[meter].window is not Window.LIFETIME
    by_day = {row.day: row for row in rows}
    first = rows[0]
    # What was used before the first reading has no day, unless the period began on that one.
    begins = starts_again and first.period_start.astimezone(UTC).date() == first.day
    day = first.day if begins else first.day + timedelta(days=1)
    period, known = (first.period_start, 0) if begins else (first.period_start, first.used)
    taken: list[int] = []
    while day < today:
        row = by_day.get(day)
        if row is None:
            taken.append(0)
        else:
            taken.append(row.used - (known if row.period_start == period else 0))
            period, known = row.period_start, row.used
        day += timedelta(days=1)
    return DailyUsage(tuple(taken[-MOST_DAYS:]), today - timedelta(days=1))


def _day(now: datetime) -> date:
    return now.astimezone(UTC).date()
