"""Read what a plan's seats and the use above its limits cost, or say what is wrong, by path."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Any

from billing.catalogue.metered import MeteredPrice, PriceModel, Tier
from billing.catalogue.shapes import Amounts, SeatPrice
from billing.catalogue.values import (
    INTERVALS,
    UNLIMITED,
    exact,
    faults_of_amounts,
    faults_of_exact,
    faults_of_prices,
    faults_of_table,
    is_count,
    is_exact,
    is_limit,
    limit,
)
from config.needs import Meter
from quotas.meters import METERS
from quotas.periods import Window

_OWN = {
    PriceModel.PER_UNIT: {"unit"},
    PriceModel.GRADUATED: {"tiers"},
    PriceModel.VOLUME: {"tiers"},
    PriceModel.PACKAGE: {"size", "unit"},
    PriceModel.PERCENTAGE: {"percent"},
}
# What starts anew with the billing period can be billed with it.
BILLABLE = tuple(meter for meter, spec in METERS.items() if spec.window is Window.BILLING_PERIOD)


def amounts(table: Mapping[str, Any]) -> Amounts:
    return Amounts(
        {
            (interval, currency): amount
            for interval in INTERVALS
            for currency, amount in table[interval].items()
        }
    )


def seat_price(plan: Mapping[str, Any]) -> SeatPrice | None:
    table = plan.get("seats")
    if table is None:
        return None
    return SeatPrice(plan["limits"]["seats"], limit(table["most"]), amounts(table))


def metered_prices(plan: Mapping[str, Any]) -> dict[Meter, MeteredPrice]:
    return {
        Meter(name): _metered(Meter(name), table, plan["limits"][name])
        for name, table in plan.get("metered", {}).items()
    }


def _metered(meter: Meter, table: Mapping[str, Any], included: int) -> MeteredPrice:
    tiers = table.get("tiers") or ([{"unit": table["unit"]}] if "unit" in table else [])
    return MeteredPrice(
        meter=meter,
        model=PriceModel(table["model"]),
        included=included,
        tiers=tuple(
            Tier(limit(tier.get("up_to", UNLIMITED)), exact(tier["unit"]), tier.get("flat", {}))
            for tier in tiers
        ),
        size=table.get("size", 1),
        share=Fraction(table.get("percent", 0)) / 100,
        minimum=table.get("minimum", {}),
    )


def faults_of_seats(seats: object, limits: object) -> Iterator[str]:
    """`limits` are the plan's, whose seats are the included ones."""
    if seats is None:
        return
    faults = list(faults_of_table(seats, {"most", *INTERVALS}, "seats"))
    if faults or not isinstance(seats, dict) or not isinstance(limits, dict):
        yield from (f"seats.{fault}" for fault in faults)
        return
    included: Any = limits.get("seats")
    if not is_count(included, least=0):
        yield "seats: none are sold where they are unlimited"
    elif not is_limit(seats.get("most"), least=included + 1):
        yield f"seats.most: a whole number above the plan's limit, or {UNLIMITED!r}"
    yield from (f"seats.{fault}" for fault in faults_of_prices(seats))


def faults_of_metered(metered: object, limits: object) -> Iterator[str]:
    if not isinstance(metered, dict) or not isinstance(limits, dict):
        yield "metered: a table for each meter"
        return
    for name, table in metered.items():
        if name not in set(BILLABLE):
            yield f"metered.{name}: {_why_not(name)}one of {', '.join(BILLABLE)}"
        elif not is_count(limits.get(name), least=0):
            yield f"metered.{name}: nothing lies above an unlimited allowance"
        else:
            yield from (f"metered.{name}.{fault}" for fault in _faults_of_price(table))


def _why_not(name: str) -> str:
    """Another window's use ends within a billing period, or never: no invoice is of it."""
    if name not in set(METERS):
        return ""
    window = METERS[Meter(name)].window
    return f"counted by the {window.value}, not by the billing period, so no invoice bills it; "


def _faults_of_price(table: object) -> Iterator[str]:
    if not isinstance(table, dict) or table.get("model") not in set(PriceModel):
        yield f"model: one of {', '.join(PriceModel)}"
        return
    model = PriceModel(table["model"])
    if set(table) - {"minimum"} != {"model"} | _OWN[model]:
        yield f"{model} has {', '.join(sorted(_OWN[model]))}, and no more than a minimum beside"
        return
    if "minimum" in table:
        yield from faults_of_amounts("minimum", table["minimum"])
    if "unit" in table:
        yield from faults_of_exact("unit", table["unit"])
    if "tiers" in table:
        yield from _faults_of_tiers(table["tiers"])
    yield from _faults_of_numbers(table)


def _faults_of_numbers(table: Mapping[str, Any]) -> Iterator[str]:
    if not is_count(table.get("size", 1), least=1):
        yield "size: a whole number of units from 1"
    if not is_exact(table.get("percent", 0)):
        yield 'percent: whole, or as a text like "2.5"'


def _faults_of_tiers(tiers: object) -> Iterator[str]:
    if not isinstance(tiers, list) or not all(isinstance(tier, dict) for tier in tiers):
        yield "tiers: a list of { up_to, unit, flat }"
        return
    for number, tier in enumerate(tiers):
        path = f"tiers.{number}"
        yield from (f"{path}.{fault}" for fault in faults_of_table(tier, _TIER, "a tier"))
        yield from faults_of_exact(f"{path}.unit", tier.get("unit"))
        if "flat" in tier:
            yield from faults_of_amounts(f"{path}.flat", tier["flat"], least=0)
    yield from _faults_of_borders([tier.get("up_to") for tier in tiers])


_TIER = frozenset({"up_to", "unit", "flat"})


def _faults_of_borders(borders: list[Any]) -> Iterator[str]:
    *numbers, last = borders or [None]
    if last != UNLIMITED or not all(is_count(number, least=1) for number in numbers):
        yield f"tiers: up_to is a whole number from 1, of the last {UNLIMITED!r}"
    elif any(lower >= upper for lower, upper in pairwise(numbers)):
        yield "tiers: each up_to above the one before"
