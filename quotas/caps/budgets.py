"""A tenant's budget of one billing period: which windows of which meters weigh against it.

All weighed meters share one. A meter's window (its billing period, month or day) weighs against the
budget of the billing period in which the window ends, since that period's invoice carries it; so
calendar months of API calls find their place beside billing periods that begin on the 15th. What never
starts anew (a lifetime) weighs against the present one.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from config.needs import Meter
from quotas.caps.weights import Weight
from quotas.merging import Snapshot
from quotas.meters import METERS
from quotas.periods import EPOCH, Window, period_around

_LAST_MOMENT = timedelta(microseconds=1)
# A meter and when its window began.
Place = tuple[Meter, datetime]


def name_of(place: Place) -> str:
    """As `Spend.since` names it."""
    meter, period = place
    return f"{meter.value}:{period.isoformat()}"


@dataclass(frozen=True, slots=True)
class Part:
    """One window of one meter; `included` units weigh nothing."""

    meter: Meter
    period: datetime
    included: int
    weight: Weight

    @property
    def place(self) -> str:
        return name_of((self.meter, self.period))

    def of(self, used: int) -> int:
        """Minor units that `used` units in all weigh."""
        return self.weight.of(used - self.included)


@dataclass(frozen=True, slots=True)
class Budget:
    """Of the billing period [period, ends_at). `cap` None is no cap."""

    period: datetime
    ends_at: datetime
    cap: int | None
    unit: str
    parts: tuple[Part, ...]

    def has(self, place: Place) -> bool:
        return any((part.meter, part.period) == place for part in self.parts)

    @property
    def as_json(self) -> str:
        """As quotas/sealed/spending.py reads it."""
        return json.dumps(self._told)

    @property
    def _told(self) -> dict[str, object]:
        return {
            "period": self.period.isoformat(),
            "cap": self.cap,
            "parts": [
                {
                    "place": part.place,
                    "meter": part.meter.value,
                    "period": part.period.isoformat(),
                    "included": part.included,
                    "weight": part.weight.as_json,
                }
                for part in self.parts
            ],
        }


def budget_at(found: Snapshot, at: datetime) -> Budget:
    """That of the billing period which holds `at`."""
    start, end = period_around(Window.BILLING_PERIOD, at, found.anchor)
    assert end is not None  # noqa: S101 - a billing period ends
    parts = tuple(
        Part(meter, period, included, found.weights[meter.value])
        for meter, period in places_at(found, at, [Meter(name) for name in found.weights])
        if (included := found.limit(meter)) is not None
    )
    return Budget(start, end, found.spend_cap, found.budget_unit, parts)


def places_at(found: Snapshot, at: datetime, meters: Iterable[Meter]) -> Iterator[Place]:
    """The windows of these meters that weigh, or would, against the budget of that period."""
    start, end = period_around(Window.BILLING_PERIOD, at, found.anchor)
    for meter in meters:
        for period in _windows(METERS[meter].window, start, end or start, found):
            yield meter, period


def capped_budget(found: Snapshot, place: Place, *, now: datetime) -> Budget | None:
    """That against which a window of a meter weighs; None where nothing weighs or nothing is capped."""
    meter, period = place
    included = found.limit(meter)
    if meter.value not in found.weights or found.spend_cap is None or included is None:
        return None
    _, end = period_around(METERS[meter].window, period, found.anchor)
    budget = budget_at(found, now if end is None else end - _LAST_MOMENT)
    if budget.has(place):
        return budget
    # A window of before the present anchor: a late correction weighs all the same.
    stray = Part(meter, period, included, found.weights[meter.value])
    return replace(budget, parts=(*budget.parts, stray))


def capped_budgets(found: Snapshot, places: Iterable[Place], *, now: datetime) -> list[Budget]:
    """Those of several windows, each once."""
    every = (capped_budget(found, place, now=now) for place in places)
    return list({each.period: each for each in every if each is not None}.values())


def all_as_json(budgets: Iterable[Budget]) -> str | None:
    """None for none."""
    told = ", ".join(each.as_json for each in budgets)
    return f"[{told}]" if told else None


def _windows(window: Window, start: datetime, end: datetime, found: Snapshot) -> Iterator[datetime]:
    """The beginnings of the windows that end in the billing period [start, end)."""
    if window is Window.LIFETIME:
        yield EPOCH
        return
    begins, ends = period_around(window, start, found.anchor)
    while ends is not None and ends - _LAST_MOMENT < end:
        yield begins
        begins, ends = period_around(window, ends, found.anchor)
