"""API calls: limited by Redis, remembered by each process (quotas/spool.py), and folded into the ledger.

What a process has counted is in a file that outlives it. Every second it is folded into the ledger's
total, and ApiCallMark remembers how far: folding twice or late changes nothing, so no crash of a
process, of Redis or of PostgreSQL loses or doubles a call. Redis is only asked how many are left: its
counters of a month have an epoch, one life of the keys, and a base, which is what the ledger knows to
have been counted elsewhere (before Redis lost its counters, or while it was away).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction

from config.ids import new_id
from config.logs import logger
from config.needs import Meter
from config.quick_redis import RedisAway
from quotas.caps.reckoning import capped_among, reckon, reckon_calls
from quotas.counters import Beginning, SpoolSum, calls_key, counters, patient_counters
from quotas.meters import period_start
from quotas.models import ApiCallMark, UsageTotal
from quotas.spool import Count, Spool, left_behind, spool
from quotas.verdicts import Calls
from tenants.isolation import square_context

log = logger(__name__)
_METER = Meter.API_CALLS.value
# Marks of a month are needed as long as a process of then may not be folded yet.
_MARKS_KEPT = timedelta(days=70)
# In order: two processes fold at once, each its own marks, into the same totals.
_FOLD = """
WITH told AS (
    SELECT * FROM unnest(%(tenants)s::uuid[], %(periods)s::timestamptz[], %(epochs)s::text[], %(calls)s::bigint[])
        AS told (tenant_id, period_start, epoch, calls)
), known AS (
    SELECT mark.tenant_id, mark.period_start, mark.epoch, mark.counted
      FROM public.quotas_apicallmark AS mark JOIN told USING (tenant_id, period_start, epoch)
     WHERE mark.spool = %(spool)s
), news AS (
    SELECT told.*, told.calls - coalesce(known.counted, 0) AS change
      FROM told LEFT JOIN known USING (tenant_id, period_start, epoch)
     WHERE told.calls > coalesce(known.counted, 0)
), marked AS (
    INSERT INTO public.quotas_apicallmark (tenant_id, period_start, spool, epoch, counted)
    SELECT tenant_id, period_start, %(spool)s, epoch, calls FROM news
    ON CONFLICT (tenant_id, period_start, spool, epoch) DO UPDATE SET counted = excluded.counted
)
INSERT INTO public.quotas_usagetotal AS total (tenant_id, meter, period_start, used)
SELECT tenant_id, %(meter)s, period_start, sum(change) FROM news
 GROUP BY tenant_id, period_start ORDER BY tenant_id, period_start
ON CONFLICT (tenant_id, meter, period_start) DO UPDATE SET used = total.used + excluded.used
RETURNING total.tenant_id, total.period_start, total.used
"""
# In one look, so that total and marks are of the same moment. Of the spools only what is asked for: a
# month may have seen many processes.
_IN_EPOCHS = """
SELECT asked.tenant_id, asked.period_start, asked.epoch, max(total.used) - coalesce(sum(mark.counted), 0)::bigint,
       array_remove(array_agg(CASE WHEN %(spools)s::text[] IS NULL OR mark.spool = ANY (%(spools)s::text[])
                                   THEN mark.spool || ' ' || mark.counted END), NULL)
  FROM unnest(%(tenants)s::uuid[], %(periods)s::timestamptz[], %(epochs)s::text[])
       AS asked (tenant_id, period_start, epoch)
  JOIN public.quotas_usagetotal AS total
    ON (total.tenant_id, total.meter, total.period_start) = (asked.tenant_id, %(meter)s, asked.period_start)
  LEFT JOIN public.quotas_apicallmark AS mark
    ON (mark.tenant_id, mark.period_start, mark.epoch) = (asked.tenant_id, asked.period_start, asked.epoch)
 GROUP BY asked.tenant_id, asked.period_start, asked.epoch
"""


class Folded(NamedTuple):
    """A total of the ledger after a fold."""

    tenant_id: UUID
    period_start: datetime
    used: int


# A tenant and the start of its month.
Total = tuple[UUID, datetime]
# Totals of which Redis, being away, was not told.
_untold: set[Total] = set()
# Totals that were folded and not yet weighed against budgets.
_unweighed: set[Total] = set()


def count(calls: Calls, *, epoch: str) -> SpoolSum:
    """Remember calls that were done. `epoch` is Redis's, or empty where it was away."""
    mine = spool()
    return SpoolSum(
        mine.id,
        mine.add(calls.tenant_id, epoch=epoch, period_start=calls.period_start, calls=calls.asked),
    )


def beginning(calls: Calls) -> Beginning:
    """What a new epoch of these counters begins with: what the ledger has, this process's own included."""
    fold(spool())
    total = UsageTotal.objects.filter(
        tenant_id=calls.tenant_id, meter=_METER, period_start=calls.period_start
    )
    base = int(total.values_list("used", flat=True).first() or 0)
    budget = calls.budget
    elsewhere = reckon(calls.tenant_id, budget).spent_beside(calls.place) if budget else None
    return Beginning(new_id().hex, base, elsewhere)


def used(*, tenant_id: UUID, now: datetime) -> int:
    """API calls of the present month, those included that are not folded yet and those being served."""
    period = period_start(Meter.API_CALLS, now)
    rows = UsageTotal.objects.filter(tenant_id=tenant_id, meter=_METER, period_start=period)
    total = int(rows.values_list("used", flat=True).first() or 0)
    try:
        found = counters().read([calls_key(tenant_id, period)])[0]
    except RedisAway:
        found = None
    return max(total, found.used) if found else total


def flush() -> int:
    """Fold what this process has counted, and what gone ones left, into the ledger; how many totals changed.

    On the square. Harmless twice.
    """
    changed = len(fold(spool()))
    _tell_redis(list(_untold), spools=None)
    for found in left_behind():
        try:
            changed += len(fold(found))
        except BaseException:  # the next flush, of whichever process, finds it again
            found.close()
            raise
        found.close(delete=True)
    return changed


def fold(counted: Spool) -> list[Folded]:
    """Bring the ledger up to what `counted` holds, and tell Redis; the totals that changed."""
    with counted.folding:
        counts = counted.counts()
        if not counts:
            return []
        with square_context(), transaction.atomic():
            changed = _folded(counted.id, counts)
    if changed:
        _unweighed.update(each[:2] for each in changed)
        with square_context():
            _tell_redis([each[:2] for each in changed], spools=[counted.id])
    return changed


def weigh(*, now: datetime) -> None:
    """Reckon the capped budgets against which folded calls weigh, and remind Redis of them. On the square."""
    folded = list(_unweighed)
    for tenant_id in capped_among(tenant_id for tenant_id, _ in folded):
        for total in (each for each in folded if each[0] == tenant_id):
            elsewhere = reckon_calls(tenant_id, (Meter.API_CALLS, total[1]), now=now)
            if elsewhere is None:
                continue
            try:
                patient_counters().remind(calls_key(*total), elsewhere)
            except RedisAway:
                log.warning("api_calls.spent_postponed")
    _unweighed.difference_update(folded)


def _folded(spool_id: str, counts: Sequence[Count]) -> list[Folded]:
    facts: dict[str, Any] = {
        "spool": spool_id,
        "meter": _METER,
        "tenants": [each.tenant_id for each in counts],
        "periods": [each.period_start for each in counts],
        "epochs": [each.epoch for each in counts],
        "calls": [each.calls for each in counts],
    }
    with connection.cursor() as cursor:
        cursor.execute(_FOLD, facts)
        return [Folded(*row) for row in cursor.fetchall()]


def _tell_redis(totals: Sequence[Total], *, spools: Sequence[str] | None) -> None:
    """What the ledger has from elsewhere, and from these spools (None: all) in Redis's own epoch.

    A process that was killed, or to which Redis did not listen, has told it less.
    """
    if not totals:
        return
    server = patient_counters()
    _untold.update(totals)
    try:
        found = server.read([calls_key(*total) for total in totals])
        known = {
            total: each.epoch for total, each in zip(totals, found, strict=True) if each is not None
        }
        for total, base, sums in _in_epochs(known, spools):
            server.inform(calls_key(*total), known[total], base, sums)
        _untold.difference_update(totals)
    except RedisAway:
        log.warning("api_calls.base_postponed")


def _in_epochs(
    epochs: Mapping[Total, str], spools: Sequence[str] | None
) -> list[tuple[Total, int, list[SpoolSum]]]:
    """Of each total what was counted outside of its epoch, and what these spools have counted in it."""
    facts: dict[str, Any] = {
        "tenants": [tenant_id for tenant_id, _ in epochs],
        "periods": [period_start for _, period_start in epochs],
        "epochs": list(epochs.values()),
        "spools": None if spools is None else list(spools),
        "meter": _METER,
    }
    with connection.cursor() as cursor:
        cursor.execute(_IN_EPOCHS, facts)
        rows = cursor.fetchall()
    return [
        ((tenant_id, period_start), int(base), [_sum(each) for each in sums])
        for tenant_id, period_start, _epoch, base, sums in rows
    ]


def _sum(told: str) -> SpoolSum:
    spool_id, _, calls = told.partition(" ")
    return SpoolSum(spool_id, int(calls))


def forget_marks(*, now: datetime) -> int:
    """Let go of marks of months that nobody folds any more; how many they were."""
    return ApiCallMark.objects.filter(period_start__lt=now - _MARKS_KEPT).delete()[0]
