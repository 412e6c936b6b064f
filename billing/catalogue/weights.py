"""Prices of use as weights against a budget (quotas/caps/weights.py), of which quotas reads no price.

What units weigh is what they cost on the invoice, to the cent. Two things differ on purpose: a `minimum`
is owed whatever is used, so no cap can hold it and it weighs nothing; and under a volume price, where
many units may cost less than fewer, units weigh what the dearest number of them on the way has cost,
since some may be given back.
"""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from math import lcm
from typing import NamedTuple

from billing.catalogue.metered import MeteredPrice, PriceModel, Tier
from billing.catalogue.shapes import PlanSpec
from config.needs import Meter
from quotas.caps.weights import Bend, Weight
from quotas.meters import METERS, Aggregation
from quotas.periods import MONTHS_IN


class _Line(NamedTuple):
    """A bend in exact minor units."""

    after: int
    base: Fraction
    price: Fraction
    step: int = 1


def weights_of(spec: PlanSpec, *, currency: str, interval: str) -> dict[Meter, Weight]:
    """Of each meter that the plan bills, for a period of `interval`."""
    months = MONTHS_IN[interval]
    return {
        meter: weight_of(
            price.times(months, grows=METERS[meter].aggregation is Aggregation.SUM),
            currency=currency,
        )
        for meter, price in spec.metered.items()
    }


def weight_of(price: MeteredPrice, *, currency: str) -> Weight:
    """What units above the included weigh."""
    lines = list(_lines(price, currency))
    scale = lcm(*(number.denominator for line in lines for number in (line.base, line.price)))
    return Weight(
        tuple(
            Bend(line.after, int(line.base * scale), int(line.price * scale), line.step)
            for line in lines
        ),
        scale,
    )


def _lines(price: MeteredPrice, currency: str) -> Iterator[_Line]:
    if price.model is PriceModel.PERCENTAGE:
        yield _Line(0, Fraction(0), price.share)
    elif price.model is PriceModel.PACKAGE:
        yield _Line(0, Fraction(0), price.tiers[0].unit[currency], price.size)
    elif price.model is PriceModel.GRADUATED:
        yield from _graduated(price.tiers, currency)
    else:
        yield from _dearest(price.tiers, currency)


def _graduated(tiers: Sequence[Tier], currency: str) -> Iterator[_Line]:
    below, base = 0, Fraction(0)
    for tier in tiers:
        base += _flat(tier.flat, currency)
        yield _Line(below, base, tier.unit[currency])
        base += ((tier.up_to or below) - below) * tier.unit[currency]
        below = tier.up_to or below


def _dearest(tiers: Sequence[Tier], currency: str) -> Iterator[_Line]:
    """All units at the price of the tier that they reach, and never less than any fewer units."""
    below, most = 0, Fraction(0)
    for tier in tiers:
        unit, flat = tier.unit[currency], _flat(tier.flat, currency)
        if (below + 1) * unit + flat >= most:
            yield _Line(below, below * unit + flat, unit)
        else:
            yield _Line(below, most, Fraction(0))
            rises_after = int((most - flat) / unit) if unit else None
            if rises_after is not None and (tier.up_to is None or rises_after < tier.up_to):
                yield _Line(rises_after, rises_after * unit + flat, unit)
        if tier.up_to is not None:
            below, most = tier.up_to, max(most, tier.up_to * unit + flat)


def _flat(amounts: Mapping[str, int], currency: str) -> int:
    return amounts.get(currency, 0)
