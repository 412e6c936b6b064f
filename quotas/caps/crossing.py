"""The writer's part: a transaction that takes a budget across a threshold promises a look at it."""

from collections.abc import Mapping, Sequence

from config.celery import later
from config.needs import Meter
from quotas.alerts.thresholds import units_at
from quotas.caps.budgets import Budget, Part, Place
from quotas.merging import Snapshot

PERCENTS = (80, 100)


def promise_spend_alerts(
    found: Snapshot, budget: Budget | None, *, spent: Sequence[int], used: Mapping[Place, int]
) -> None:
    """`spent` is what the budget stood at before and after; empty where nothing was reckoned.

    `used` are the totals of what was written. No query, but for the outbox row of a crossing.
    """
    if budget is None or not budget.cap or not spent:
        return
    before, after = spent
    crosses = any(before < units_at(budget.cap, percent) <= after for percent in PERCENTS)
    if crosses or stopped(budget, spent=after, used=used):
        later(
            "quotas.evaluate_spend",
            tenant_id=str(found.tenant_id),
            period=budget.period.isoformat(),
        )


def stopped(budget: Budget, *, spent: int, used: Mapping[Place, int]) -> list[Meter]:
    """The meters of which what is left pays for no further unit: they are refused from now on."""
    left = (budget.cap or 0) - spent
    return [part.meter for part in budget.parts if _price_of_next(part, used) > max(0, left)]


def _price_of_next(part: Part, used: Mapping[Place, int]) -> int:
    """Minor units of one unit more; 0 while some are included, or where the next one rounds to nothing."""
    units = used.get((part.meter, part.period))
    return 0 if units is None else part.of(units + 1) - part.of(units)
