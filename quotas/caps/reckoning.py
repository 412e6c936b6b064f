"""What a budget has paid for, from the ledger's totals: for pages, alerts and the gate.

Writers reckon inside PostgreSQL (quotas/sealed/spending.py); both say the same.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from config.needs import Meter
from quotas.caps.budgets import Budget, Part, Place, capped_budget
from quotas.caps.crossing import promise_spend_alerts
from quotas.caps.models import Spend, SpendCap
from quotas.entitlements import snapshot
from quotas.models import UsageTotal


@dataclass(frozen=True, slots=True)
class Reckoning:
    """A budget and what its windows have used, under these terms and under former ones."""

    budget: Budget
    used: Mapping[Place, int]
    carried: int
    since: Mapping[str, int]

    def units(self, part: Part) -> int:
        return self.used.get((part.meter, part.period), 0)

    def spent_on(self, part: Part) -> int:
        """Minor units of one window under the present terms, rounded once."""
        return part.of(self.units(part)) - part.of(self.since.get(part.place, 0))

    @property
    def spent(self) -> int:
        """Minor units in all."""
        if not self.budget.parts:
            return 0
        return self.carried + sum(map(self.spent_on, self.budget.parts))

    def spent_beside(self, place: Place) -> int:
        """What is spent without what all units of that window weigh."""
        return self.spent - sum(
            part.of(self.units(part))
            for part in self.budget.parts
            if (part.meter, part.period) == place
        )


def reckon(tenant_id: UUID, budget: Budget) -> Reckoning:
    """Two queries, none for a budget of nothing."""
    if not budget.parts:
        return Reckoning(budget, {}, 0, {})
    used = used_at(tenant_id, [(part.meter, part.period) for part in budget.parts])
    spend = Spend.objects.filter(tenant_id=tenant_id, period_start=budget.period).first()
    return Reckoning(budget, used, spend.carried if spend else 0, spend.since if spend else {})


def used_at(tenant_id: UUID, places: Collection[Place]) -> dict[Place, int]:
    """Units of these windows that have any. One query."""
    rows = UsageTotal.objects.filter(
        tenant_id=tenant_id,
        meter__in={meter.value for meter, _ in places},
        period_start__in={period for _, period in places},
    )
    found = {(Meter(row.meter), row.period_start): row.used for row in rows}
    return {place: used for place, used in found.items() if place in places}


def locked(tenant_id: UUID, budget: Budget) -> Spend:
    """The budget's row, which nobody else reckons until the end of the transaction. On the square."""
    fresh = Spend(tenant_id=tenant_id, period_start=budget.period, spent=0, carried=0, since={})
    Spend.objects.bulk_create([fresh], ignore_conflicts=True)
    rows = Spend.objects.select_for_update()
    return rows.get(tenant_id=tenant_id, period_start=budget.period)


def capped_among(tenants: Iterable[UUID]) -> list[UUID]:
    """Those that have a cap. One query, none for nobody."""
    asked = set(tenants)
    if not asked:
        return []
    return list(SpendCap.objects.filter(tenant_id__in=asked).values_list("tenant_id", flat=True))


@transaction.atomic
def reckon_calls(tenant_id: UUID, place: Place, *, now: datetime) -> int | None:
    """Write down what is spent after calls were folded, and promise alerts.

    What is spent beside these calls; None where they weigh nothing. On the square.
    """
    found = snapshot(tenant_id, now=now)
    budget = capped_budget(found, place, now=now)
    if budget is None:
        return None
    row = locked(tenant_id, budget)
    reckoning = reckon(tenant_id, budget)
    before, row.spent = row.spent, reckoning.spent
    if row.spent != before:
        row.save(update_fields=["spent"])
    promise_spend_alerts(found, budget, spent=[before, row.spent], used=reckoning.used)
    return reckoning.spent_beside(place)
