"""Where a tenant stands with its spend cap in the present billing period, for pages and the API."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from config.needs import Meter
from quotas.caps.budgets import budget_at
from quotas.caps.reckoning import Reckoning, reckon
from quotas.merging import Snapshot


@dataclass(frozen=True, slots=True)
class MeterSpend:
    """One meter's window: units above the `included` have come to `spent` minor units.

    Under the present terms; what was spent under former ones of the period is in the sum alone.
    """

    meter: Meter
    included: int
    used: int
    spent: int


@dataclass(frozen=True, slots=True)
class Spending:
    """Amounts are minor units of `unit`; `cap` None is none. `is_stale`: it was set in another unit."""

    cap: int | None
    spent: int
    unit: str
    period_starts_at: datetime
    resets_at: datetime
    meters: tuple[MeterSpend, ...]
    is_stale: bool = False

    @property
    def is_of_use(self) -> bool:
        """Whether anything is billed by usage, or capped."""
        return bool(self.meters) or self.cap is not None

    @property
    def remaining(self) -> int | None:
        return None if self.cap is None else max(0, self.cap - self.spent)

    @property
    def is_below_spent(self) -> bool:
        """More is spent already than the cap allows: it stays, and more of it is refused."""
        return self.cap is not None and self.cap < self.spent


def spending(tenant_id: UUID, found: Snapshot, *, now: datetime) -> Spending:
    """Two queries; none where nothing is billed by usage."""
    budget = budget_at(found, now)
    reckoning = reckon(tenant_id, budget)
    return Spending(
        cap=budget.cap,
        spent=reckoning.spent,
        unit=budget.unit,
        period_starts_at=budget.period,
        resets_at=budget.ends_at,
        meters=tuple(_meters(reckoning)),
        is_stale=found.cap is not None and found.cap.unit != budget.unit,
    )


def _meters(reckoning: Reckoning) -> list[MeterSpend]:
    return [
        MeterSpend(part.meter, part.included, units, reckoning.spent_on(part))
        for part in reckoning.budget.parts
        if (units := reckoning.units(part)) or part.period == reckoning.budget.period
    ]
