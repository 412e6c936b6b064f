"""What a catalogue holds, read and checked: plans, seats, add-ons, coupons and credits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

from billing.catalogue.metered import MeteredPrice
from config.context import Shares
from config.needs import Feature, Meter


@dataclass(frozen=True, slots=True)
class PriceSpec:
    """What one interval of a plan costs, in integer minor units of `currency`."""

    plan: str
    interval: str
    currency: str
    amount_minor: int

    @property
    def lookup_key(self) -> str:
        """The price's name at a provider."""
        return f"plaza_{self.plan}_{self.currency}_{self.interval}".lower()


@dataclass(frozen=True, slots=True)
class Amounts:
    """Minor units by interval and currency: (interval, currency) -> amount."""

    by: Mapping[tuple[str, str], int]

    def amount_minor(self, *, interval: str, currency: str) -> int:
        """Raises KeyError for what is not sold in this currency."""
        return self.by[interval, currency]


@dataclass(frozen=True, slots=True)
class SeatPrice:
    """What each seat above the plan's `included` ones costs; `most` of None is no limit.

    `included` is the plan's limit of seats. A plan that sells none has no SeatPrice.
    """

    included: int
    most: int | None
    amounts: Amounts


@dataclass(frozen=True, slots=True)
class AddOnSpec:
    """What may be bought beside a plan, up to `most` times. `adds` is on top of the plan's limits.

    Of a meter of the billing period it is a month's, as the plan's limits are.
    """

    key: str
    name: str
    plans: frozenset[str]
    most: int
    adds: Mapping[Meter, int]
    features: frozenset[Feature]
    amounts: Amounts


@dataclass(frozen=True, slots=True)
class CouponSpec:
    """A discount: a `share` (1/5 is 20 %) of what is charged, or `amounts` of each period by currency.

    A share covers plan, seats, add-ons and usage; an amount covers no usage, and never more than is
    charged. `periods` of None is for ever; no `plans` are all plans.
    """

    key: str
    name: str
    share: Fraction | None = None
    amounts: Mapping[str, int] = field(default_factory=dict)
    periods: int | None = None
    plans: frozenset[str] = frozenset()
    redeem_until: datetime | None = None
    most_redemptions: int | None = None

    def fits(self, *, plan: str, currency: str) -> bool:
        """Whether it takes anything off this plan in this currency."""
        is_of_plan = not self.plans or plan in self.plans
        return is_of_plan and (self.share is not None or currency in self.amounts)


@dataclass(frozen=True, slots=True)
class CreditSpec:
    """Credit that is given once for a code: minor units by currency, set off against what is owed."""

    key: str
    name: str
    amounts: Mapping[str, int]
    redeem_until: datetime | None = None
    most_redemptions: int | None = None


@dataclass(frozen=True, slots=True)
class PlanSpec:
    """One plan. A limit of None is unlimited; a rate is (requests, seconds).

    `metered` is what use above a meter's limit costs: those meters are soft in this plan (they go on
    above the limit, and are billed), the others are as their meter is.
    """

    key: str
    rank: int
    name: str
    trial_days: int
    features: frozenset[Feature]
    limits: Mapping[Meter, int | None]
    rates: Mapping[str, tuple[int, int]]
    shares: Shares
    prices: tuple[PriceSpec, ...]
    seats: SeatPrice | None = None
    metered: Mapping[Meter, MeteredPrice] = field(default_factory=dict)

    @property
    def is_paid(self) -> bool:
        return bool(self.prices)

    @property
    def most_seats(self) -> int | None:
        """How many seats it may have, bought ones included; None is no limit."""
        return self.seats.most if self.seats else self.limits[Meter.SEATS]

    def price(self, *, currency: str, interval: str) -> PriceSpec | None:
        for price in self.prices:
            if (price.currency, price.interval) == (currency, interval):
                return price
        return None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One version of all that is for sale; the plans are in order of price."""

    version: int
    plans: tuple[PlanSpec, ...]
    add_ons: Mapping[str, AddOnSpec] = field(default_factory=dict)
    coupons: Mapping[str, CouponSpec] = field(default_factory=dict)
    credits: Mapping[str, CreditSpec] = field(default_factory=dict)

    def plan(self, key: str) -> PlanSpec:
        """The plan named `key`. Raises KeyError."""
        for spec in self.plans:
            if spec.key == key:
                return spec
        raise KeyError(key)

    def ladder(self, meter: Meter) -> tuple[tuple[str, int | None], ...]:
        """What each plan allows of `meter`, in order of price: ((plan, limit or None), …)."""
        return tuple((spec.key, spec.limits[meter]) for spec in self.plans)

    def feature_ladder(self) -> dict[str, str]:
        """The cheapest plan that has each feature; a feature of no plan is not in it."""
        cheapest: dict[str, str] = {}
        for spec in self.plans:
            for feature in Feature:
                if feature in spec.features:
                    cheapest.setdefault(feature.value, spec.key)
        return cheapest
