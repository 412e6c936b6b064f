"""How several grants become one snapshot of what a tenant may.

- features: the union of all grants in force;
- each limit and each rate by itself: the grant with the highest priority that names it decides;
  among equals the most generous does. So `limits` are totals, never additions;
- `adds` go on top of the limit so decided, all of them together, unless a grant of higher priority
  than theirs has named the limit: an override's figure is the last word. Unlimited stays unlimited;
- plan and billing anchor: of the highest priority among the grants that name one, the newest among
  equals;
- weights: of each meter, what the highest priority states, the newest among equals; a weighed meter is
  soft: what is above its limit is taken and weighs against the budget;
- ladders: for each meter and feature, that of the highest priority.
What no grant names is not granted: a limit of 0. A grant is in force until its `expires_at`, that
moment excluded. The sources and their priorities: billing/services/extras.py.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, TypeVar
from uuid import UUID

from config.needs import Feature, Meter
from quotas.caps.weights import Weight
from quotas.meters import METERS
from quotas.periods import Anchor

T = TypeVar("T")


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
    adds: Mapping[str, int] = field(default_factory=dict)
    anchor: Anchor | None = None
    reason: str = ""
    weights: Mapping[str, Weight] = field(default_factory=dict)
    budget_unit: str = ""


class Cap(NamedTuple):
    """What usage above the included may weigh in a billing period: `amount` minor units of `unit`."""

    amount: int
    unit: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that the tenant may at one moment. `hold` is the code of a restriction, or empty.

    Billing periods begin at `anchor`; a tenant without one has calendar months.
    """

    tenant_id: UUID
    plan: str
    features: frozenset[str]
    limits: Mapping[str, int | None]
    rates: Mapping[str, Rate]
    ladder: Mapping[str, tuple[tuple[str, int | None], ...]]
    feature_ladder: Mapping[str, str] = field(default_factory=dict)
    hold: str = ""
    grants: tuple[GrantInForce, ...] = ()
    anchor: Anchor | None = None
    weights: Mapping[str, Weight] = field(default_factory=dict)
    budget_unit: str = ""
    cap: Cap | None = None

    def limit(self, meter: Meter) -> int | None:
        """The allowance; None is unlimited, 0 what no grant names."""
        return self.limits.get(meter.value, 0)

    def is_hard(self, meter: Meter) -> bool:
        """Whether its limit refuses: a meter that counts only does not, nor one whose overage is billed."""
        return METERS[meter].hard and meter.value not in self.weights

    @property
    def spend_cap(self) -> int | None:
        """Minor units of the budget, None without a cap.

        One that was set in another unit lets nothing above the included happen until it is set anew:
        we know no rate, and what it would have meant is not guessed with the tenant's money.
        """
        if self.cap is None:
            return None
        return self.cap.amount if self.cap.unit == self.budget_unit else 0

    def upgrade_for(self, meter: Meter, needed: int) -> str | None:
        """The cheapest plan above the present one that allows `needed` in all; None where none does.

        None also where an override decides: it would decide under any plan.
        """
        if self._is_overruled(meter):
            return None
        steps = self.ladder.get(meter.value, ())
        names = [plan for plan, _ in steps]
        above = names.index(self.plan) + 1 if self.plan in names else 0
        fitting = (plan for plan, limit in steps[above:] if limit is None or limit >= needed)
        return next(fitting, None)

    def _is_overruled(self, meter: Meter) -> bool:
        of_plans = [found.priority for found in self.grants if meter.value in found.ladder]
        stated = [found.priority for found in self.grants if meter.value in found.limits]
        return bool(of_plans) and max(stated, default=0) > max(of_plans)

    def upgrade_with(self, feature: Feature) -> str | None:
        """The cheapest plan that has `feature`."""
        return self.feature_ladder.get(feature.value)


def merged(
    tenant_id: UUID, grants: Sequence[GrantInForce], *, hold: str = "", cap: Cap | None = None
) -> Snapshot:
    """One snapshot of `grants`, which stand in order: highest priority first, newest among equals."""
    ladder: dict[str, tuple[tuple[str, int | None], ...]] = {}
    feature_ladder: dict[str, str] = {}
    weights: dict[str, Weight] = {}
    for found in reversed(grants):
        weights.update(found.weights)
        ladder.update(found.ladder)
        feature_ladder.update(found.feature_ladder)
    return Snapshot(
        tenant_id=tenant_id,
        plan=next((found.plan for found in grants if found.plan), ""),
        features=frozenset().union(*(found.features for found in grants)),
        limits=_limits(grants),
        rates=_decided([(found.priority, found.rates) for found in grants], _faster),
        ladder=ladder,
        feature_ladder=feature_ladder,
        hold=hold,
        grants=tuple(grants),
        anchor=next((found.anchor for found in grants if found.anchor), None),
        weights=weights,
        budget_unit=next((found.budget_unit for found in grants if found.budget_unit), ""),
        cap=cap,
    )


def _limits(grants: Sequence[GrantInForce]) -> dict[str, int | None]:
    limits = _decided([(found.priority, found.limits) for found in grants], _higher)
    for found in grants:
        for meter, units in found.adds.items():
            limit = limits.setdefault(meter, 0)
            is_overruled = any(
                meter in other.limits and other.priority > found.priority for other in grants
            )
            if limit is not None and not is_overruled:
                limits[meter] = limit + units
    return limits


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
