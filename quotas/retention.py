"""The ledger's months: made ahead, and dropped when they are older than USAGE_RETENTION_DAYS.

A month is dropped as a file, with its keys; what its events had added to a total stays in the total
as `carried`, so that `used` is always carried + what the remaining events add up to.
"""

from datetime import datetime, timedelta
from typing import Any

import psycopg
from django.conf import settings

from config.logs import logger
from config.months import MonthlyTable, make_months, months_before
from quotas.meters import EPOCH, METERS, Aggregation
from tenants.engine.owner import owner_connection

log = logger(__name__)
EVENTS = MonthlyTable("quotas_usageevent", "recorded_at")
_PATIENCE = "SET LOCAL lock_timeout = '5s'"
_CARRY = """
UPDATE public.quotas_usagetotal AS total SET carried = total.carried + gone.units
  FROM (SELECT tenant_id, meter, period_start,
               sum(CASE kind WHEN 'refunded' THEN -quantity ELSE quantity END)::bigint AS units
          FROM public.{part} WHERE meter = ANY(%s) GROUP BY 1, 2, 3) AS gone
 WHERE total.tenant_id = gone.tenant_id AND total.meter = gone.meter
   AND total.period_start = gone.period_start
"""
_FORGET_KEYS = """
DELETE FROM public.quotas_usagekey AS known USING public.{part} AS event
 WHERE known.tenant_id = event.tenant_id AND known.event_id = event.id
"""
_FORGET_VALUES = (
    "DELETE FROM public.quotas_usagevalue WHERE period_start > %s AND period_start < %s"
)
# Where a total is not what its events and what was carried add up to.
_IMBALANCES = """
SELECT tenant_id, meter, period_start, coalesce(total.used, 0), coalesce(told.units, 0)
  FROM (SELECT tenant_id, meter, period_start, used, carried FROM public.quotas_usagetotal
         WHERE meter = ANY(%(meters)s)) AS total
  FULL JOIN (SELECT tenant_id, meter, period_start,
                    sum(CASE kind WHEN 'refunded' THEN -quantity ELSE quantity END)::bigint AS units
               FROM public.quotas_usageevent WHERE meter = ANY(%(meters)s)
              GROUP BY 1, 2, 3) AS told USING (tenant_id, meter, period_start)
 WHERE coalesce(total.used, 0) <> coalesce(total.carried, 0) + coalesce(told.units, 0)
 ORDER BY 1, 2, 3
"""


def keep_months(*, now: datetime) -> tuple[list[str], list[str]]:
    """Make the months ahead and drop those that are too old; (made, dropped). The owner's work.

    Harmless twice. A month that is in use for longer than 5 s is left for the next time.
    """
    with owner_connection() as owner:
        with owner.transaction(), owner.cursor() as cursor:
            cursor.execute(_PATIENCE)
            made = make_months(cursor, EVENTS, now=now)
        dropped = _drop_old(owner, now - timedelta(days=settings.USAGE_RETENTION_DAYS))
    if made or dropped:
        log.info("ledger.months_kept", extra={"made": made, "dropped": dropped})
    return made, dropped


def _drop_old(owner: psycopg.Connection[tuple[Any, ...]], before: datetime) -> list[str]:
    with owner.cursor() as cursor:
        parts = months_before(cursor, EVENTS, before)
    for part in parts:
        with owner.transaction(), owner.cursor() as cursor:
            cursor.execute(_PATIENCE)
            # Nobody adds to it any more, and a correction that reads it waits.
            cursor.execute(f"LOCK TABLE public.{part} IN ACCESS EXCLUSIVE MODE".encode())
            cursor.execute(_CARRY.format(part=part).encode(), [_adding_up()])
            cursor.execute(_FORGET_KEYS.format(part=part).encode())
            cursor.execute(f"DROP TABLE public.{part}".encode())
            cursor.execute(_FORGET_VALUES, [EPOCH, before])
    return parts


def imbalances(connection: Any) -> list[tuple[Any, ...]]:
    """Totals that are not what the ledger says: (tenant_id, meter, period_start, used, told).

    Of meters that add up, API calls left out (their ledger is ApiCallMark). Reads the whole ledger.
    """
    with connection.cursor() as cursor:
        cursor.execute(_IMBALANCES, {"meters": _adding_up()})
        return list(cursor.fetchall())


def _adding_up() -> list[str]:
    return [
        meter.value
        for meter, spec in METERS.items()
        if spec.aggregation is Aggregation.SUM and meter.value != "api_calls"
    ]
