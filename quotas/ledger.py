"""Usage that is exact: counted in the writer's own transaction, so that unit and work commit together.

A key counts once for ever, and gives back once. Take units as late in the transaction as possible:
the total's row stays locked until the commit, and a tenant's writers queue on it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.transaction import TransactionManagementError

from config.cause import cause_as_json
from config.ids import new_id
from config.needs import Meter
from config.seals import sealed
from quotas import api_calls
from quotas.alerts.crossing import promise_alerts
from quotas.caps.budgets import Budget, capped_budget
from quotas.caps.crossing import promise_spend_alerts
from quotas.entitlements import Snapshot, snapshot
from quotas.meters import METERS, Aggregation, Window, period_start, resets_at
from quotas.models import UsageTotal
from quotas.refusals import QuotaExceeded, SpendCapReached, UsageRefused

# What the answer of `plaza.consume` begins with when the allowance or the budget is used up.
REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class MeterUsage:
    """One meter of a tenant in the present period. `limit` and `remaining` None are unlimited.

    Of a meter that `is_billed` what is above the limit is taken, and weighs against the budget.
    """

    meter: Meter
    unit: str
    window: Window
    limit: int | None
    used: int
    remaining: int | None
    resets_at: datetime | None
    hard: bool
    is_billed: bool = False


def consume(
    *,
    tenant_id: UUID,
    meter: Meter,
    quantity: int,
    key: str,
    now: datetime,
    value: str | None = None,
) -> None:
    """Take `quantity` units under `key`, all or none; the same key again takes nothing.

    What a quantity means to meters that do not add up: quotas/meters.py. A `unique` meter counts
    `value` (the key, where it is not given). The event says what causes it (config/cause.py).
    Raises QuotaExceeded and SpendCapReached, with nothing taken, and TransactionManagementError outside
    a transaction.
    """
    _check(quantity)
    if quantity == 0:
        return
    taking = taking_of(
        tenant_id=tenant_id, meter=meter, quantity=quantity, key=key, now=now, value=value
    )
    with connection.cursor() as cursor:
        cursor.execute(taking.statement, taking.parameters)
        taking.settle(cursor.fetchone()[0])


@dataclass(frozen=True, slots=True)
class Taking:
    """What `consume` sends, for a writer that makes it part of the statement that does the work.

    `statement` answers one text, which is `settle`'s: it begins with REFUSED, and nothing is taken, or
    with another word. `budget` is that against which the units weigh, None where no cap holds.
    """

    statement: str
    parameters: list[str | None]
    found: Snapshot
    meter: Meter
    quantity: int
    now: datetime
    budget: Budget | None = None

    def settle(self, answer: str) -> None:
        """Raise what `answer` refuses; promise alerts where a threshold was crossed."""
        word, *numbers = answer.split(":")
        facts = [int(number) for number in numbers]
        if word == REFUSED:
            raise self._refusal(facts)
        if word == "counted":
            promise_alerts(self.found, meter=self.meter, quantity=self.quantity, used=facts[0])
            place = self.meter, period_start(self.meter, self.now, self.found.anchor)
            promise_spend_alerts(self.found, self.budget, spent=facts[1:], used={place: facts[0]})

    def _refusal(self, spent: list[int]) -> UsageRefused:
        if self.budget is not None and spent:
            return capped(self.budget, meter=self.meter, spent=spent[0], asked=self.quantity)
        used = _used(self.found, self.meter, self.now)
        return refusal(self.found, meter=self.meter, used=used, asked=self.quantity, now=self.now)


def taking_of(
    *,
    tenant_id: UUID,
    meter: Meter,
    quantity: int,
    key: str,
    now: datetime,
    value: str | None = None,
) -> Taking:
    """The statement that takes `quantity` units, one or more, under `key`."""
    found = snapshot(tenant_id, now=now)
    limit = found.limit(meter) if found.is_hard(meter) else None
    taken = _taken(found, meter, quantity, key, now)
    aggregation = METERS[meter].aggregation
    counted = (value or key) if aggregation is Aggregation.UNIQUE else None
    allowed = None if limit is None else str(limit)
    budget = capped_budget(found, (meter, period_start(meter, now, found.anchor)), now=now)
    statement, parameters = sealed(
        "consume",
        *(*taken, allowed, aggregation.value, counted),
        *(cause_as_json(), budget.as_json if budget else None),
    )
    return Taking(statement, parameters, found, meter, quantity, now, budget)


def refund(*, tenant_id: UUID, meter: Meter, quantity: int, key: str, now: datetime) -> None:
    """Give `quantity` units back under `key`, once, never below zero (quotas/meters.py: what that does).

    They go back to the period in which `key` took them, if it did; else to the present one.
    """
    _check(quantity)
    taken = _taken(snapshot(tenant_id, now=now), meter, quantity, key, now)
    call("refund", *taken, METERS[meter].aggregation.value)


def remaining(*, tenant_id: UUID, meter: Meter, now: datetime) -> int | None:
    """Units left in the present period, from 0; None is unlimited."""
    found = snapshot(tenant_id, now=now)
    return _left(found.limit(meter), _used(found, meter, now))


def usage(*, tenant_id: UUID, now: datetime) -> list[MeterUsage]:
    """Every meter of the tenant; API calls to the last one that Redis has counted."""
    return usage_under(snapshot(tenant_id, now=now), now=now)


def usage_under(found: Snapshot, *, now: datetime) -> list[MeterUsage]:
    """The same for whom the snapshot is at hand."""
    used = _totals(found, METERS, now)
    return [
        MeterUsage(
            meter=meter,
            unit=spec.unit,
            window=spec.window,
            limit=found.limit(meter),
            used=used[meter],
            remaining=_left(found.limit(meter), used[meter]),
            resets_at=resets_at(meter, now, found.anchor),
            hard=found.is_hard(meter),
            is_billed=meter.value in found.weights,
        )
        for meter, spec in METERS.items()
    ]


def refusal(
    found: Snapshot, *, meter: Meter, used: int, asked: int, now: datetime
) -> QuotaExceeded:
    """The refusal of `asked` units when `used` are used already."""
    resets = resets_at(meter, now, found.anchor)
    return QuotaExceeded(
        meter=meter.value,
        limit=found.limit(meter),
        used=used,
        asked=asked,
        resets_at=resets.isoformat().replace("+00:00", "Z") if resets else None,
        upgrade_to=found.upgrade_for(meter, used + asked),
    )


def capped(budget: Budget, *, meter: Meter, spent: int, asked: int) -> SpendCapReached:
    """The refusal of `asked` units of which the price does not fit when `spent` is spent already."""
    return SpendCapReached(
        meter=meter.value,
        cap=budget.cap,
        spent=spent,
        currency=budget.unit or None,
        asked=asked,
        resets_at=budget.ends_at.isoformat().replace("+00:00", "Z"),
    )


def _check(quantity: int) -> None:
    if quantity < 0:
        raise ValueError("A quantity is a whole number from 0.")
    if not connection.in_atomic_block:
        raise TransactionManagementError("Usage is counted inside the writer's transaction.")


def _taken(found: Snapshot, meter: Meter, quantity: int, key: str, now: datetime) -> list[str]:
    period = period_start(meter, now, found.anchor).isoformat()
    tenant_id, asked = str(found.tenant_id), str(quantity)
    return [str(new_id()), tenant_id, meter.value, key, asked, period, now.isoformat()]


def call(function: str, *arguments: str | None) -> str:
    """One of the sealed functions of quotas/rights.py: a tenant may not write its own usage itself."""
    statement, parameters = sealed(function, *arguments)
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return str(cursor.fetchone()[0])


def _used(found: Snapshot, meter: Meter, now: datetime) -> int:
    return _totals(found, [meter], now)[meter]


def _totals(found: Snapshot, meters: Collection[Meter], now: datetime) -> dict[Meter, int]:
    """Used units of the present periods in one query, and one more for API calls."""
    starts = {meter: period_start(meter, now, found.anchor) for meter in meters}
    rows = UsageTotal.objects.filter(
        tenant_id=found.tenant_id, meter__in=meters, period_start__in=set(starts.values())
    )
    known = {(row.meter, row.period_start): row.used for row in rows}
    used = {meter: known.get((meter.value, start), 0) for meter, start in starts.items()}
    if Meter.API_CALLS in used:
        used[Meter.API_CALLS] = api_calls.used(tenant_id=found.tenant_id, now=now)
    return used


def used_in(tenant_id: UUID, meter: Meter, period: datetime) -> int:
    """Units used in the period that began at `period`."""
    rows = UsageTotal.objects.filter(tenant_id=tenant_id, meter=meter.value, period_start=period)
    return int(rows.values_list("used", flat=True).first() or 0)


def _left(limit: int | None, used: int) -> int | None:
    return None if limit is None else max(0, limit - used)
