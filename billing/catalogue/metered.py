"""What use above a plan's allowance costs: the models that the trade knows, exact.

| model | what the billed units cost (those above `included`) |
|---|---|
| per_unit | each the same |
| graduated | each as its tier says; a tier's flat amount once it is entered |
| volume | all as the tier says in which their number lies, and that tier's flat amount |
| package | each begun package |
| percentage | a share of them: the meter counts minor units of the invoice's currency |

A `minimum` is owed for the whole period whatever is used, and less than all of it is owed for less of
the period. Unit amounts are exact fractions of minor units; only a period's sum is rounded.
Source of the terms: Stripe's tiers (`up_to` is inclusive) and Lago's charge models.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction

from config.needs import Meter


class PriceModel(StrEnum):
    """How a quantity becomes an amount."""

    PER_UNIT = "per_unit"
    GRADUATED = "graduated"
    VOLUME = "volume"
    PACKAGE = "package"
    PERCENTAGE = "percentage"


@dataclass(frozen=True, slots=True)
class Tier:
    """Units up to and with `up_to` (None: all others). Minor units by currency; of a unit exactly."""

    up_to: int | None
    unit: Mapping[str, Fraction]
    flat: Mapping[str, int] = field(default_factory=dict)

    def times(self, months: int) -> "Tier":
        return Tier(
            None if self.up_to is None else self.up_to * months,
            self.unit,
            {currency: flat * months for currency, flat in self.flat.items()},
        )


@dataclass(frozen=True, slots=True)
class MeteredPrice:
    """One meter's price in one plan, for a period of a month.

    per_unit and package have one tier, whose unit is the price of a unit, or of `size` units;
    percentage has none and `share` (1/40 is 2.5 %).
    """

    meter: Meter
    model: PriceModel
    included: int
    tiers: tuple[Tier, ...] = ()
    size: int = 1
    share: Fraction = Fraction(0)
    minimum: Mapping[str, int] = field(default_factory=dict)

    def amount(self, quantity: int, *, currency: str) -> Fraction:
        """What `quantity` units of one period cost, in minor units, without the minimum."""
        billed = max(0, quantity - self.included)
        return self._of_billed(billed, currency) if billed else Fraction(0)

    def _of_billed(self, billed: int, currency: str) -> Fraction:
        if self.model is PriceModel.GRADUATED:
            return self._graduated(billed, currency)
        if self.model is PriceModel.PACKAGE:
            return -(-billed // self.size) * self.tiers[0].unit[currency]
        if self.model is PriceModel.PERCENTAGE:
            return billed * self.share
        return self._all_alike(billed, currency)

    def _graduated(self, billed: int, currency: str) -> Fraction:
        amount, below = Fraction(0), 0
        for tier in self.tiers:
            above = billed if tier.up_to is None else min(billed, tier.up_to)
            amount += (above - below) * tier.unit[currency] + tier.flat.get(currency, 0)
            if above == billed:
                break
            below = above
        return amount

    def _all_alike(self, billed: int, currency: str) -> Fraction:
        """Per unit, and by volume: the one tier in which the number lies is for all units."""
        tier = next(each for each in self.tiers if each.up_to is None or billed <= each.up_to)
        return billed * tier.unit[currency] + tier.flat.get(currency, 0)

    def times(self, months: int, *, grows: bool) -> "MeteredPrice":
        """The same for a period of so many months: q units cost as often as much as q/months in one.

        Allowance and tiers of what does not add up (`grows` False: the most at the same time,
        different people) stay. A package keeps its size: a year's use is rounded up once.
        """
        minimum = {currency: least * months for currency, least in self.minimum.items()}
        if not grows:
            return replace(self, minimum=minimum)
        return replace(
            self,
            included=self.included * months,
            tiers=tuple(tier.times(months) for tier in self.tiers),
            minimum=minimum,
        )
