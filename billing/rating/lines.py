"""What rating answers with: the lines, discounts and taxes of one invoice, before it has a number."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from billing.money import Money, total


class LineKind(StrEnum):
    """What a line charges, or gives back."""

    PLAN = "plan"
    SEATS = "seats"
    ADD_ON = "add_on"
    USAGE = "usage"
    LATE_USAGE = "late_usage"
    MINIMUM = "minimum"
    DISCOUNT = "discount"


@dataclass(frozen=True, slots=True)
class Line:
    """One line before tax. `quantity` units for [starts_at, ends_at); `amount` is negative for what is given back.

    `subject` is the plan's, meter's, add-on's or coupon's key. `facts` are what its words are made of in
    any language (unit price, plan, share of the period), and what leads to the ledger: for usage
    `{"meter", "period_start"}` of its rows. Both are stored as they are.
    """

    kind: LineKind
    subject: str
    quantity: int
    amount: Money
    starts_at: datetime
    ends_at: datetime
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tax:
    """One rate's tax on the whole invoice. `rate_millionths` of 160_000 is 16 %.

    A reverse charge has rate 0 and says so in `name`'s key, with the base that the buyer accounts for.
    """

    key: str
    country: str
    rate_millionths: int
    base: Money
    amount: Money


@dataclass(frozen=True, slots=True)
class Draft:
    """All of an invoice but its number: one currency, lines in their order, one tax for each rate."""

    currency: str
    lines: tuple[Line, ...]
    taxes: tuple[Tax, ...] = ()

    @property
    def subtotal(self) -> Money:
        return total((line.amount for line in self.lines), currency=self.currency)

    @property
    def tax(self) -> Money:
        return total((tax.amount for tax in self.taxes), currency=self.currency)

    @property
    def total(self) -> Money:
        return self.subtotal + self.tax
