"""Look at one budget of one tenant, and tell what is news: 80 and 100 % of its cap, each once in a period.

100 % is told when the cap is spent, and when what is left pays for no further unit of a meter: it is
then being refused. What is quiet, and what a raised cap tells anew, is as of limits
(quotas/alerts/thresholds.py); how it is told is as by default there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from config.logs import logger
from quotas.alerts.evaluating import alone
from quotas.alerts.models import UsageAlert
from quotas.alerts.settings import DEFAULT_QUIET_HOURS, DEFAULT_ROLES
from quotas.alerts.thresholds import LEAST_URGENT, Told, is_near_end, newly_reached
from quotas.caps.budgets import Budget, budget_at
from quotas.caps.crossing import PERCENTS, stopped
from quotas.caps.reckoning import reckon
from quotas.entitlements import snapshot
from tenants import mails, outbound

log = logger(__name__)
# In the place of a meter's name among alerts.
SUBJECT = "spend_cap"


@dataclass(frozen=True, slots=True)
class _Case:
    """One budget at one moment. `stopped` are the meters that what is left does not pay for."""

    tenant_id: UUID
    budget: Budget
    spent: int
    stopped: tuple[str, ...]
    now: datetime

    @property
    def cap(self) -> int:
        return self.budget.cap or 0


@transaction.atomic
def evaluate_spend(*, tenant_id: UUID, at: datetime, now: datetime) -> list[int]:
    """Tell what is news of the budget of the period that holds `at`: the percents told. Harmless twice."""
    alone(tenant_id, SUBJECT)
    budget = budget_at(snapshot(tenant_id, now=now), at)
    if not budget.cap:
        return []
    found = reckon(tenant_id, budget)
    meters = stopped(budget, spent=found.spent, used=found.used)
    names = tuple(meter.value for meter in meters)
    return _tell_news(_Case(tenant_id, budget, found.spent, names, now))


def _tell_news(case: _Case) -> list[int]:
    rows = UsageAlert.objects.filter(
        tenant_id=case.tenant_id, meter=SUBJECT, period_start=case.budget.period
    )
    reached = newly_reached(
        limit=case.cap,
        used=case.cap if case.stopped else case.spent,
        told=[Told(row.percent, row.limit, row.used) for row in rows],
        percents=PERCENTS,
    )
    if not reached or _is_quiet(case, reached[-1]):
        return []
    *passed, percent = reached
    if not _write(case, percent, passed=passed):
        return []
    _tell(case, percent)
    return [percent]


def _is_quiet(case: _Case, percent: int) -> bool:
    return percent < LEAST_URGENT and is_near_end(
        at=case.now,
        starts_at=case.budget.period,
        ends_at=case.budget.ends_at,
        quiet_hours=DEFAULT_QUIET_HOURS,
    )


def _write(case: _Case, percent: int, *, passed: Sequence[int]) -> bool:
    """The rows of what is told and passed over; False when another has written the first of them."""
    facts: dict[str, Any] = {
        "tenant_id": case.tenant_id,
        "meter": SUBJECT,
        "period_start": case.budget.period,
        "limit": case.cap,
        "used": case.spent,
        "told_at": case.now,
    }
    row = UsageAlert(percent=percent, is_told=True, **facts)
    over = [UsageAlert(percent=each, is_told=False, **facts) for each in passed]
    UsageAlert.objects.bulk_create([row, *over], ignore_conflicts=True)
    return UsageAlert.objects.filter(pk=row.pk).exists()


def _tell(case: _Case, percent: int) -> None:
    budget = case.budget
    data = {
        "percent": percent,
        "cap": {"amount": case.cap, "currency": budget.unit},
        "spent": {"amount": case.spent, "currency": budget.unit},
        "stopped": list(case.stopped),
        "period_starts_at": _moment(budget.period),
        "resets_at": _moment(budget.ends_at),
    }
    outbound.emit(case.tenant_id, "spend_cap.reached", data, now=case.now)
    mails.post(
        tenant_id=case.tenant_id,
        roles=list(DEFAULT_ROLES),
        kind="spend_cap",
        key=f"spend_cap:{budget.period.isoformat()}:{percent}:{case.cap}",
        facts=data,
    )
    log.info("spend_alert.told", extra={"tenant_id": str(case.tenant_id), "percent": percent})


def _moment(value: datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")
