"""What a budget has paid for, from the ledger's totals: for pages, alerts and the gate.

Writers reckon inside PostgreSQL (quotas/sealed/spending.py); both say the same.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction

from config.needs import Meter
from quotas.caps.budgets import Budget, Place, capped_budget
from quotas.caps.crossing import promise_spend_alerts
from quotas.caps.models import Spend, SpendCap
from quotas.entitlements import snapshot
from quotas.models import UsageTotal

Used = Mapping[Place, int]


def used_in(tenant_id: UUID, budget: Budget) -> Used:
    """Units of each window that weighs against the budget. One query, none for a budget of nothing."""
    if not budget.parts:
        return {}
    rows = UsageTotal.objects.filter(
        tenant_id=tenant_id,
        meter__in={part.meter.value for part in budget.parts},
        period_start__in={part.period for part in budget.parts},
    )
    return {(Meter(row.meter), row.period_start): row.used for row in rows}


def spent_by(budget: Budget, used: Used) -> int:
    """Minor units: each window rounded once, then added."""
    return sum(part.of(used.get((part.meter, part.period), 0)) for part in budget.parts)


def spent_beside(tenant_id: UUID, budget: Budget, place: Place) -> int:
    """What the budget has paid for beside that window."""
    others = budget.besides(place)
    return spent_by(others, used_in(tenant_id, others))


def capped_among(tenants: Iterable[UUID]) -> list[UUID]:
    """Those that have a cap. One query, none for nobody."""
    asked = set(tenants)
    if not asked:
        return []
    return list(SpendCap.objects.filter(tenant_id__in=asked).values_list("tenant_id", flat=True))


@transaction.atomic
def reckon_calls(tenant_id: UUID, place: Place, *, now: datetime) -> int | None:
    """Write down what is spent after calls were folded, and promise alerts.

    What the budget paid for beside these calls; None where they weigh nothing. On the square.
    """
    found = snapshot(tenant_id, now=now)
    budget = capped_budget(found, place, now=now)
    if budget is None:
        return None
    Spend.objects.bulk_create(
        [Spend(tenant_id=tenant_id, period_start=budget.period, spent=0)], ignore_conflicts=True
    )
    row = Spend.objects.select_for_update().get(tenant_id=tenant_id, period_start=budget.period)
    used = used_in(tenant_id, budget)
    before, row.spent = row.spent, spent_by(budget, used)
    if row.spent != before:
        row.save(update_fields=["spent"])
    promise_spend_alerts(found, budget, spent=[before, row.spent], used=used)
    return spent_by(budget.besides(place), used)
