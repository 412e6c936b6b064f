"""The clock's part: API calls, which no transaction counts, and whatever was missed.

Every minute the totals that changed are looked at for 90 % and more; every hour all are, for every
threshold; once a day for the forecast. A tenant's total is that of its own present period
(quotas/present.py). Limits, settings and tellings are read for 500 tenants at a time, so that only
what is due costs a task.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from config.celery import later
from config.needs import Meter
from quotas import present
from quotas.alerts.models import AlertSetting, UsageAlert
from quotas.alerts.thresholds import LEAST_URGENT, Told, newly_reached
from quotas.daily import read_days
from quotas.entitlements import GrantInForce, Snapshot, merged
from quotas.meters import METERS
from quotas.models import Grant
from quotas.present import Reading

_TENANTS_AT_ONCE = 500


@transaction.atomic
def watch(*, now: datetime) -> int:
    """Read the day, and promise a look at what has become urgent; how many that were."""
    changed = read_days(now=now)
    return sum(
        _promise_due(readings, now=now, least_percent=LEAST_URGENT) for readings in _parts(changed)
    )


def review(*, now: datetime) -> int:
    """Promise a look at every meter with a threshold that was never told; how many that were."""
    return sum(_promise_due(readings, now=now) for readings in _parts(present.readings(now=now)))


def review_forecasts(*, now: datetime) -> int:
    """Promise a look at every meter that is limited and not used up; how many that were."""
    promised = 0
    for readings in _parts(present.readings(now=now)):
        found = _snapshots({each.tenant_id for each in readings}, now)
        for each in readings:
            limit = found[each.tenant_id].limit(each.meter)
            if limit and 0 < each.used < limit:
                _promise(each)
                promised += 1
    return promised


def _parts(readings: Sequence[Reading]) -> Iterable[Sequence[Reading]]:
    size = _TENANTS_AT_ONCE * len(METERS)
    return (readings[first : first + size] for first in range(0, len(readings), size))


def _promise_due(readings: Sequence[Reading], *, now: datetime, least_percent: int = 1) -> int:
    tenants = {each.tenant_id for each in readings}
    found, told, extras = _snapshots(tenants, now), _told(readings), _extras(tenants)
    due = [
        each
        for each in readings
        if any(
            percent >= least_percent
            for percent in newly_reached(
                limit=found[each.tenant_id].limit(each.meter),
                used=each.used,
                extra_percents=extras.get((each.tenant_id, each.meter), ()),
                told=told[each.tenant_id, each.meter, each.period_start],
            )
        )
    ]
    for each in due:
        _promise(each)
    return len(due)


def _promise(reading: Reading) -> None:
    later("quotas.evaluate_usage", tenant_id=str(reading.tenant_id), meter=reading.meter.value)


def _snapshots(tenants: Iterable[UUID], now: datetime) -> Mapping[UUID, Snapshot]:
    """The limits of many tenants, in one query; what else a snapshot says is left out."""
    grants: dict[UUID, list[GrantInForce]] = {tenant_id: [] for tenant_id in tenants}
    in_force = Grant.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=now), tenant_id__in=list(grants)
    )
    for row in in_force.order_by("-priority", "-granted_at", "source"):
        grants[row.tenant_id].append(
            GrantInForce(
                source=row.source,
                plan=row.plan,
                features=frozenset(),
                limits=row.limits,
                adds=row.adds,
                rates={},
                ladder={},
                feature_ladder={},
                priority=row.priority,
                expires_at=row.expires_at,
            )
        )
    return {tenant_id: merged(tenant_id, found) for tenant_id, found in grants.items()}


def _told(
    readings: Sequence[Reading],
) -> Mapping[tuple[UUID, Meter, datetime], list[Told]]:
    found: dict[tuple[UUID, Meter, datetime], list[Told]] = defaultdict(list)
    rows = UsageAlert.objects.filter(
        tenant_id__in={each.tenant_id for each in readings},
        period_start__in={each.period_start for each in readings},
        percent__gt=0,
        meter__in=set(Meter),  # those of the budget are told by its writers
    )
    for row in rows:
        told = Told(row.percent, row.limit, row.used)
        found[row.tenant_id, Meter(row.meter), row.period_start].append(told)
    return found


def _extras(tenants: Iterable[UUID]) -> Mapping[tuple[UUID, Meter], list[int]]:
    rows = AlertSetting.objects.filter(tenant_id__in=list(tenants), meter__in=set(Meter))
    rows = rows.exclude(extra_percents=[])
    return {(row.tenant_id, Meter(row.meter)): row.extra_percents for row in rows}
