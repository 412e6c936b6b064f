"""API calls: counted by the gate in Redis, folded into the ledger's total, which has the last word.

A month's counters have an epoch, one life of the keys in Redis. `counted` and `returned` of an epoch
only grow, and ApiCallMark remembers how far they are folded: folding twice or late changes nothing.
When Redis has lost its counters, the next call begins an epoch at the ledger's total; what was not
yet folded then (the flush runs every 10 s) is lost with Redis. While Redis is away calls are counted
in the total directly, and reach Redis as the epoch's `base`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from config.context import Place, at_place
from config.ids import new_id
from config.logs import logger
from config.needs import Meter
from quotas.counters import (
    ApiCallCounters,
    Beginning,
    Counters,
    CountersAway,
    calls_key,
    counters,
    patient_counters,
)
from quotas.meters import period_start
from quotas.models import ApiCallMark, UsageTotal
from quotas.verdicts import Calls
from tenants.models import Tenant

log = logger(__name__)
_TENANTS_AT_ONCE = 500
_ADD = """
INSERT INTO public.quotas_usagetotal AS total (tenant_id, meter, period_start, used)
VALUES (%(tenant)s, %(meter)s, %(period)s, GREATEST(%(change)s, 0))
ON CONFLICT (tenant_id, meter, period_start)
   DO UPDATE SET used = GREATEST(total.used + %(change)s, 0)
RETURNING used
"""
# One statement: what is folded in between is then seen in both columns, or in none.
_TOTAL_AND_MARK = """
SELECT COALESCE(total.used, 0), COALESCE(mark.counted, 0), COALESCE(mark.returned, 0)
  FROM (SELECT %(tenant)s::uuid AS tenant_id, %(period)s::timestamptz AS period_start) AS asked
  LEFT JOIN public.quotas_usagetotal AS total
    ON total.tenant_id = asked.tenant_id AND total.meter = %(meter)s
   AND total.period_start = asked.period_start
  LEFT JOIN public.quotas_apicallmark AS mark
    ON mark.tenant_id = asked.tenant_id AND mark.period_start = asked.period_start
   AND mark.epoch = %(epoch)s
"""


def beginning(calls: Calls) -> Beginning:
    """What a new epoch of these counters begins with."""
    total = UsageTotal.objects.filter(
        tenant_id=calls.tenant_id, meter=Meter.API_CALLS.value, period_start=calls.period_start
    )
    return Beginning(new_id().hex, int(total.values_list("used", flat=True).first() or 0))


def count_directly(calls: Calls) -> None:
    """Count in the ledger's total, past Redis and past the limit: a call that was served is never lost."""
    with at_place(Place.SQUARE):
        _add(calls.tenant_id, calls.period_start, calls.asked)


def give_back_directly(calls: Calls) -> None:
    """Give back what `count_directly` counted, or what Redis did before it went away.

    Never below zero: a month's first calls, not folded yet when Redis goes away, stay counted.
    """
    with at_place(Place.SQUARE):
        _add(calls.tenant_id, calls.period_start, -calls.asked)


def used(*, tenant_id: UUID, now: datetime) -> int:
    """API calls of the present month, those included that are not folded yet."""
    period = period_start(Meter.API_CALLS, now)
    try:
        found = counters().read([calls_key(tenant_id, period)])[0]
    except CountersAway:
        found = None
    facts = _facts(tenant_id, period) | {"epoch": found.epoch if found else ""}
    with connection.cursor() as cursor:
        cursor.execute(_TOTAL_AND_MARK, facts)
        total, counted, returned = (int(value) for value in cursor.fetchone())
    if found is None or (counted, returned) > (found.counted, found.returned):
        return total
    return total + (found.counted - found.returned) - (counted - returned)


def flush(*, now: datetime) -> int:
    """Fold what Redis has counted this month, and yesterday's, into the ledger; how many tenants had news."""
    tenants = list(Tenant.objects.exclude(status=Tenant.Status.CLOSED).values_list("pk", flat=True))
    periods = {period_start(Meter.API_CALLS, at) for at in (now, now - timedelta(days=1))}
    server = patient_counters()
    try:
        return sum(
            _flush_some(server, tenants[first : first + _TENANTS_AT_ONCE], period)
            for period in sorted(periods)
            for first in range(0, len(tenants), _TENANTS_AT_ONCE)
        )
    except CountersAway:
        log.warning("api_calls.flush_postponed")
        return 0


def _flush_some(server: Counters, tenants: Sequence[UUID], period: datetime) -> int:
    counters_of = zip(
        tenants, server.read([calls_key(tenant, period) for tenant in tenants]), strict=True
    )
    marks = {
        (mark.tenant_id, mark.epoch): (mark.counted, mark.returned)
        for mark in ApiCallMark.objects.filter(tenant_id__in=tenants, period_start=period)
    }
    totals = dict(
        UsageTotal.objects.filter(
            tenant_id__in=tenants, meter=Meter.API_CALLS.value, period_start=period
        ).values_list("tenant_id", "used")
    )
    news = 0
    for tenant, found in counters_of:
        if found is None:
            continue
        shown = found.base + found.counted - found.returned
        is_folded = marks.get((tenant, found.epoch)) == (found.counted, found.returned)
        if is_folded and totals.get(tenant, 0) == shown:
            continue
        base = fold(tenant_id=tenant, period=period, found=found)
        if base != found.base:
            server.rebase(calls_key(tenant, period), found.epoch, base)
        news += 1
    return news


@transaction.atomic
def fold(*, tenant_id: UUID, period: datetime, found: ApiCallCounters) -> int:
    """Bring the ledger up to `found`; the answer is what else is used: the epoch's new base.

    Harmless twice, and harmless late: older counters change nothing.
    """
    key = {"tenant_id": tenant_id, "period_start": period, "epoch": found.epoch}
    ApiCallMark.objects.bulk_create([ApiCallMark(**key)], ignore_conflicts=True)
    mark = ApiCallMark.objects.select_for_update().get(**key)
    folded = mark.counted - mark.returned
    counted, returned = max(mark.counted, found.counted), max(mark.returned, found.returned)
    total = _add(tenant_id, period, counted - returned - folded)
    ApiCallMark.objects.filter(**key).update(counted=counted, returned=returned)
    return total - (counted - returned)


def _add(tenant_id: UUID, period: datetime, change: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_ADD, _facts(tenant_id, period) | {"change": change})
        return int(cursor.fetchone()[0])


def _facts(tenant_id: UUID, period: datetime) -> dict[str, Any]:
    return {"tenant": tenant_id, "meter": Meter.API_CALLS.value, "period": period}
