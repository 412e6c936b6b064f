"""What a tenant is entitled to: billing grants it downward, and the gate and the ledger read the snapshot.

Several grants (a plan, an add-on, an override with an end) are merged like this:
- features: the union of all grants in force;
- each limit and each rate by itself: the grant with the highest priority that names it decides;
  among equals the most generous does. So a grant states totals, never additions;
- plan: that of the highest priority among the grants that name one, the newest among equals;
- ladders: for each meter and feature, that of the highest priority.
What no grant names is not granted: a limit of 0.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from django.db import connection

from config.needs import Feature, Meter
from quotas.models import Grant, Hold
from quotas.refusals import HOLDS
from tenants.snapshots import TenantSnapshot, snapshot_in_force

T = TypeVar("T")
_FACT = "entitlements"
# A tenant always gets one row, so that a hold is seen even when no grant is in force.
_SNAPSHOT = """
SELECT held.code, g.plan, g.features, g.limits, g.rates, g.ladder, g.feature_ladder, g.priority,
       g.source, g.expires_at
  FROM (SELECT %s::uuid AS tenant_id) AS asked
  LEFT JOIN public.quotas_hold AS held ON held.tenant_id = asked.tenant_id
  LEFT JOIN public.quotas_grant AS g
    ON g.tenant_id = asked.tenant_id AND (g.expires_at IS NULL OR g.expires_at > %s)
 ORDER BY g.priority DESC, g.granted_at DESC, g.source
"""


class Rate(NamedTuple):
    """`limit` requests in `seconds`, refilled evenly, saved up to `limit`."""

    limit: int
    seconds: int


@dataclass(frozen=True, slots=True)
class GrantInForce:
    """One grant as the snapshot read it."""

    source: str
    plan: str
    features: frozenset[str]
    limits: Mapping[str, int | None]
    rates: Mapping[str, Rate]
    ladder: Mapping[str, tuple[tuple[str, int | None], ...]]
    feature_ladder: Mapping[str, str]
    priority: int
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that the tenant may at one moment. `hold` is the code of a restriction, or empty."""

    tenant_id: UUID
    plan: str
    features: frozenset[str]
    limits: Mapping[str, int | None]
    rates: Mapping[str, Rate]
    ladder: Mapping[str, tuple[tuple[str, int | None], ...]]
    feature_ladder: Mapping[str, str] = field(default_factory=dict)
    hold: str = ""
    grants: tuple[GrantInForce, ...] = ()

    def limit(self, meter: Meter) -> int | None:
        """The allowance; None is unlimited, 0 what no grant names."""
        return self.limits.get(meter.value, 0)

    def upgrade_for(self, meter: Meter, needed: int) -> str | None:
        """The cheapest plan above the present one that allows `needed` in all; None where none does."""
        steps = self.ladder.get(meter.value, ())
        names = [plan for plan, _ in steps]
        above = names.index(self.plan) + 1 if self.plan in names else 0
        fitting = (plan for plan, limit in steps[above:] if limit is None or limit >= needed)
        return next(fitting, None)

    def upgrade_with(self, feature: Feature) -> str | None:
        """The cheapest plan that has `feature`."""
        return self.feature_ladder.get(feature.value)


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
    return merged(tenant_id, grants, hold=rows[0][0] or "")


def _read(row: Sequence[Any]) -> GrantInForce:
    plan, features, limits, rates, ladder, feature_ladder, priority, source, expires_at = row
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
    )


def merged(tenant_id: UUID, grants: Sequence[GrantInForce], *, hold: str = "") -> Snapshot:
    """One snapshot of `grants`, which stand in order: highest priority first, newest among equals."""
    ladder: dict[str, tuple[tuple[str, int | None], ...]] = {}
    feature_ladder: dict[str, str] = {}
    for found in reversed(grants):
        ladder.update(found.ladder)
        feature_ladder.update(found.feature_ladder)
    return Snapshot(
        tenant_id=tenant_id,
        plan=next((found.plan for found in grants if found.plan), ""),
        features=frozenset().union(*(found.features for found in grants)),
        limits=_decided([(found.priority, found.limits) for found in grants], _higher),
        rates=_decided([(found.priority, found.rates) for found in grants], _faster),
        ladder=ladder,
        feature_ladder=feature_ladder,
        hold=hold,
        grants=tuple(grants),
    )


def _decided(
    stated: Iterable[tuple[int, Mapping[str, T]]], more_generous: Callable[[T, T], T]
) -> dict[str, T]:
    """For each name what the highest priority states, the most generous among equals."""
    decided: dict[str, tuple[int, T]] = {}
    for priority, facts in stated:
        for name, value in facts.items():
            deciding, best = decided.setdefault(name, (priority, value))
            if deciding == priority:
                decided[name] = (priority, more_generous(best, value))
    return {name: value for name, (_, value) in decided.items()}


def _higher(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)


def _faster(one: Rate, other: Rate) -> Rate:
    return max(one, other, key=lambda rate: rate.limit / rate.seconds)


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
    now: datetime,
) -> None:
    """Grant, or replace what `source` granted before. The next request sees it.

    Raises ValueError for an unknown meter or feature, a negative limit or a rate that is none.
    """
    wanted = sorted({Feature(feature).value for feature in features})
    _check(limits, rates, [*limits, *ladder])
    Grant.objects.bulk_create(
        [
            Grant(
                tenant_id=tenant_id,
                source=source,
                plan=plan,
                features=wanted,
                limits=dict(limits),
                rates={scope: list(rate) for scope, rate in rates.items()},
                ladder={meter: [list(step) for step in steps] for meter, steps in ladder.items()},
                feature_ladder=dict(feature_ladder),
                priority=priority,
                granted_at=now,
                expires_at=expires_at,
            )
        ],
        update_conflicts=True,
        unique_fields=["tenant_id", "source"],
        update_fields=[
            "plan", "features", "limits", "rates", "ladder", "feature_ladder", "priority",
            "granted_at", "expires_at",
        ],
    )  # fmt: skip


def _check(
    limits: Mapping[str, int | None], rates: Mapping[str, tuple[int, int]], meters: Iterable[str]
) -> None:
    for meter in meters:
        Meter(meter)
    if any(limit is not None and limit < 0 for limit in limits.values()):
        raise ValueError("A limit is a whole number from 0, or None for unlimited.")
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
