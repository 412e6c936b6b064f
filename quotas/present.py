"""What the meters of all tenants stand at in their present periods: a billing period is each tenant's own."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Q

from config.needs import Meter
from quotas.meters import METERS, Window, period_start
from quotas.models import Grant
from quotas.periods import Anchor

# A tenant's total of a former period, or of one that another anchor began, is not among them.
PRESENT_TOTALS = """
SELECT total.tenant_id, total.meter, total.period_start, total.used
  FROM public.quotas_usagetotal AS total
  JOIN unnest(%(meters)s::text[], %(starts)s::timestamptz[], %(are_billed)s::boolean[])
       AS every (meter, period_start, is_billed) ON every.meter = total.meter
  LEFT JOIN unnest(%(tenants)s::uuid[], %(own_starts)s::timestamptz[])
       AS own (tenant_id, period_start) ON own.tenant_id = total.tenant_id AND every.is_billed
 WHERE total.period_start = coalesce(own.period_start, every.period_start)
"""


class Reading(NamedTuple):
    """What a tenant's meter stands at in the present period."""

    tenant_id: UUID
    meter: Meter
    period_start: datetime
    used: int


def present_periods(now: datetime) -> dict[str, Any]:
    """The parameters of PRESENT_TOTALS. One query."""
    own = {tenant_id: anchor.around(now)[0] for tenant_id, anchor in _anchors(now).items()}
    return {
        "meters": [meter.value for meter in METERS],
        "starts": [period_start(meter, now) for meter in METERS],
        "are_billed": [spec.window is Window.BILLING_PERIOD for spec in METERS.values()],
        "tenants": list(own),
        "own_starts": list(own.values()),
    }


def readings(*, now: datetime) -> list[Reading]:
    """Every total of a present period, a tenant's together. Two queries."""
    with connection.cursor() as cursor:
        cursor.execute(f"{PRESENT_TOTALS} ORDER BY total.tenant_id", present_periods(now))
        return read(cursor.fetchall())


def read(rows: list[tuple[Any, ...]]) -> list[Reading]:
    """Rows of tenant, meter, period and units."""
    return [Reading(tenant, Meter(meter), period, used) for tenant, meter, period, used in rows]


def _anchors(now: datetime) -> Mapping[UUID, Anchor]:
    """Where the billing periods of each tenant begin that has an anchor, as quotas/merging.py decides."""
    rows = (
        Grant.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now))
        .exclude(anchored_at=None)
        .order_by("tenant_id", "-priority", "-granted_at", "source")
        .distinct("tenant_id")
        .values_list("tenant_id", "anchored_at", "interval")
    )
    return {
        tenant_id: Anchor(anchored_at, interval)
        for tenant_id, anchored_at, interval in rows
        if anchored_at
    }
