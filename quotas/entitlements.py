"""What a tenant is entitled to: billing grants it downward, and the gate and the ledger read the snapshot.

Grants are merged as quotas/merging.py says.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from config.needs import Feature, Meter
from quotas.caps.weights import Weight
from quotas.caps.weights import read as read_weight
from quotas.merging import Cap, GrantInForce, Rate, Snapshot, merged
from quotas.models import Grant, Hold
from quotas.periods import Anchor
from quotas.refusals import HOLDS
from tenants.snapshots import TenantSnapshot, snapshot_in_force

__all__ = [
    "Cap",
    "GrantInForce",
    "Rate",
    "Snapshot",
    "grant",
    "hold",
    "merged",
    "snapshot",
    "withdraw",
    "within",
]

_FACT = "entitlements"
# A tenant always gets one row, so that a hold and a cap are seen even when no grant is in force.
_SNAPSHOT = """
SELECT held.code, g.plan, g.features, g.limits, g.rates, g.ladder, g.feature_ladder, g.priority,
       g.source, g.expires_at, g.adds, g.anchored_at, g.interval, g.reason, g.weights, g.budget_unit,
       cap.amount, cap.unit
  FROM (SELECT %s::uuid AS tenant_id) AS asked
  LEFT JOIN public.quotas_hold AS held ON held.tenant_id = asked.tenant_id
  LEFT JOIN public.quotas_spendcap AS cap ON cap.tenant_id = asked.tenant_id
  LEFT JOIN public.quotas_grant AS g
    ON g.tenant_id = asked.tenant_id AND (g.expires_at IS NULL OR g.expires_at > %s)
 ORDER BY g.priority DESC, g.granted_at DESC, g.source
"""


def snapshot(tenant_id: UUID, *, now: datetime) -> Snapshot:
    """What `tenant_id` is entitled to at `now`; a tenant without grants may nothing.

    One query; none within a request whose tenant's snapshot holds it (tenants/snapshots.py).
    """
    return within(snapshot_in_force(tenant_id), tenant_id, now=now)


def within(mine: TenantSnapshot | None, tenant_id: UUID, *, now: datetime) -> Snapshot:
    """The same by `mine`, which keeps it until the first grant ends."""
    kept: Snapshot | None = mine.recall(_FACT, now=now) if mine else None
    if kept is not None:
        return kept
    found = _read_from_database(tenant_id, now)
    if mine is not None:
        ends = [each.expires_at for each in found.grants if each.expires_at is not None]
        mine.keep(_FACT, found, until=min(ends, default=None))
    return found


def _read_from_database(tenant_id: UUID, now: datetime) -> Snapshot:
    with connection.cursor() as cursor:
        cursor.execute(_SNAPSHOT, [tenant_id, now])
        rows = cursor.fetchall()
    grants = [_read(row[1:]) for row in rows if row[1] is not None]
    amount, unit = rows[0][-2:]
    cap = None if amount is None else Cap(amount, unit)
    return merged(tenant_id, grants, hold=rows[0][0] or "", cap=cap)


def _read(row: Sequence[Any]) -> GrantInForce:
    plan, features, limits, rates, ladder, feature_ladder, priority, source, expires_at = row[:9]
    adds, anchored_at, interval, reason, weights, budget_unit = row[9:15]
    return GrantInForce(
        source=source,
        plan=plan,
        features=frozenset(features),
        limits=json.loads(limits),
        rates={scope: Rate(*rate) for scope, rate in json.loads(rates).items()},
        ladder={
            meter: tuple((step[0], step[1]) for step in steps)
            for meter, steps in json.loads(ladder).items()
        },
        feature_ladder=json.loads(feature_ladder),
        priority=priority,
        expires_at=expires_at,
        adds=json.loads(adds),
        anchor=Anchor(anchored_at, interval) if anchored_at else None,
        reason=reason,
        weights={meter: read_weight(told) for meter, told in json.loads(weights).items()},
        budget_unit=budget_unit,
    )


def grant(  # noqa: PLR0913 - a grant is one flat statement of many facts
    *,
    tenant_id: UUID,
    source: str,
    plan: str,
    features: Iterable[str],
    limits: Mapping[str, int | None],
    rates: Mapping[str, tuple[int, int]],
    ladder: Mapping[str, Sequence[tuple[str, int | None]]],
    feature_ladder: Mapping[str, str],
    priority: int = 0,
    expires_at: datetime | None = None,
    adds: Mapping[str, int] | None = None,
    anchor: Anchor | None = None,
    weights: Mapping[str, Weight] | None = None,
    budget_unit: str = "",
    by: str = "",
    reason: str = "",
    now: datetime,
) -> None:
    """Grant, or replace what `source` granted before. The next request sees it.

    Raises ValueError for an unknown meter or feature, a negative limit or a rate that is none.
    """
    wanted = sorted({Feature(feature).value for feature in features})
    added, weighed = dict(adds or {}), dict(weights or {})
    _check(limits, added, rates, [*limits, *added, *ladder, *weighed])
    Grant.objects.bulk_create(
        [
            Grant(
                tenant_id=tenant_id,
                source=source,
                plan=plan,
                features=wanted,
                limits=dict(limits),
                adds=added,
                rates={scope: list(rate) for scope, rate in rates.items()},
                ladder={meter: [list(step) for step in steps] for meter, steps in ladder.items()},
                feature_ladder=dict(feature_ladder),
                priority=priority,
                granted_at=now,
                expires_at=expires_at,
                anchored_at=anchor.starts_at if anchor else None,
                interval=anchor.interval if anchor else "month",
                granted_by=by,
                reason=reason,
                weights={meter: weight.as_json for meter, weight in weighed.items()},
                budget_unit=budget_unit,
            )
        ],
        update_conflicts=True,
        unique_fields=["tenant_id", "source"],
        update_fields=[
            "plan", "features", "limits", "rates", "ladder", "feature_ladder", "priority",
            "granted_at", "expires_at", "adds", "anchored_at", "interval", "granted_by", "reason",
            "weights", "budget_unit",
        ],
    )  # fmt: skip


def _check(
    limits: Mapping[str, int | None],
    adds: Mapping[str, int],
    rates: Mapping[str, tuple[int, int]],
    meters: Iterable[str],
) -> None:
    for meter in meters:
        Meter(meter)
    if any(limit is not None and limit < 0 for limit in limits.values()):
        raise ValueError("A limit is a whole number from 0, or None for unlimited.")
    if any(units < 1 for units in adds.values()):
        raise ValueError("What is added is a whole number from 1.")
    if any(limit < 1 or seconds < 1 for limit, seconds in rates.values()):
        raise ValueError("A rate is at least 1 request in at least 1 second.")


def withdraw(*, tenant_id: UUID, source: str) -> None:
    """Take back what `source` granted. Harmless twice."""
    Grant.objects.filter(tenant_id=tenant_id, source=source).delete()


def hold(*, tenant_id: UUID, code: str | None) -> None:
    """Restrict the tenant with the refusal `code` (see HOLDS), or lift the restriction with None."""
    if code is None:
        Hold.objects.filter(tenant_id=tenant_id).delete()
        return
    if code not in HOLDS:
        raise ValueError(f"{code!r} is no hold.")
    Hold.objects.update_or_create(tenant_id=tenant_id, defaults={"code": code})
