"""What was subscribed and used, as rating wants to know it: facts without a database or a clock."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from billing.catalogue.shapes import Catalogue, CouponSpec
from billing.catalogue.taxes import TaxTable, tax_table
from config.needs import Meter

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Terms:
    """What is subscribed at a time. `seats` are all of them, the plan's included ones among them.

    `add_ons` are (key, how many), in order of their keys.
    """

    plan: str
    catalogue_version: int
    interval: str
    currency: str
    seats: int
    add_ons: tuple[tuple[str, int], ...] = ()

    def stored(self) -> dict[str, Any]:
        """As JSON keeps it; `Terms.read` is the way back."""
        return {**asdict(self), "add_ons": [list(each) for each in self.add_ons]}

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "Terms":
        add_ons = tuple((str(key), int(quantity)) for key, quantity in stored["add_ons"])
        return cls(**{**stored, "add_ons": add_ons})


@dataclass(frozen=True, slots=True)
class Period:
    """A billing period [starts_at, ends_at), aware UTC; whole seconds count."""

    starts_at: datetime
    ends_at: datetime

    def __post_init__(self) -> None:
        if seconds(self.starts_at) >= seconds(self.ends_at):
            raise ValueError(f"A period of no length: {self.starts_at} to {self.ends_at}")

    def share(self, starts_at: datetime, ends_at: datetime) -> Fraction:
        """Which share of it [starts_at, ends_at) is, by the second. Raises ValueError outside of it."""
        first, last = seconds(self.starts_at), seconds(self.ends_at)
        start, end = seconds(starts_at), seconds(ends_at)
        if not first <= start <= end <= last:
            raise ValueError(f"[{starts_at}, {ends_at}) is not within {self}")
        return Fraction(end - start, last - first)


def seconds(moment: datetime) -> int:
    """Whole seconds since 1970; a part of one is dropped."""
    return (moment - _EPOCH) // timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """`terms` for the rest of `period` from `starts_at` on, with the coupons that hold for it."""

    terms: Terms
    period: Period
    starts_at: datetime
    coupons: tuple[CouponSpec, ...] = ()

    @property
    def share(self) -> Fraction:
        return self.period.share(self.starts_at, self.period.ends_at)


@dataclass(frozen=True, slots=True)
class Usage:
    """One meter's use in one period, to be billed under the terms of `stretch`'s part of it.

    `quantity` is the period's total when the part ended (or now), `quantity_before` when it began:
    0 but after a change of terms within the period. So each unit is billed under the terms in force
    when it was used, against their whole allowance.

    `billed` is the total up to which the same part was billed already (None: not at all): late or
    corrected use then costs the difference. `late` tells that the period's own invoice was issued
    before. `extra` are units of allowance beside plan and add-ons (gifts, credits, overrides).
    `late_units` of the quantity occurred in an earlier period and came too late for it: the line says so.
    """

    meter: Meter
    terms: Terms
    period: Period
    quantity: int
    quantity_before: int = 0
    billed: int | None = None
    is_late: bool = False
    extra: int = 0
    late_units: int = 0
    starts_at: datetime | None = None  # of the part; None: the period's own
    ends_at: datetime | None = None
    coupons: tuple[CouponSpec, ...] = ()

    @property
    def share(self) -> Fraction:
        """Of the period that the terms were in force."""
        return self.period.share(
            self.starts_at or self.period.starts_at, self.ends_at or self.period.ends_at
        )


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who is taxed: country (ISO 3166, two letters; empty: unknown) and tax id as it is written.

    `is_tax_id_valid`: whoever keeps the id says so; an id that is not valid is as none.
    """

    country: str = ""
    tax_id: str = ""
    is_tax_id_valid: bool = False


@dataclass(frozen=True, slots=True)
class PeriodFacts:
    """Everything that one invoice says, of one currency.

    - A period that begins: `begins` (the whole of it), and `usage` of the one that ended.
    - A change at once: `ends` is the rest of what was paid and is given back, `begins` the rest under
      the new terms (or a new period, where the interval changes).
    - An end at once: `ends` alone; a closed period without a next: `usage` alone.

    `seller` is the issuer's country. `catalogues` holds each version that some terms name. `at` is the moment of issue, whose tax rates
    hold. Two currencies are two invoices: a change of currency waits for the period's end, where
    `usage` is rated in the old one and `begins` in the new one.
    """

    currency: str
    at: datetime
    catalogues: Mapping[int, Catalogue]
    buyer: Buyer = field(default_factory=Buyer)
    seller: str = ""
    taxes: TaxTable = field(default_factory=tax_table)
    begins: Stretch | None = None
    ends: Stretch | None = None
    usage: tuple[Usage, ...] = ()
