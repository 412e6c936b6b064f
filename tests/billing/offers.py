"""A small catalogue of round and of awkward prices, and facts to rate: rating needs no database."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from billing import catalogue
from billing.catalogue.metered import MeteredPrice, PriceModel, Tier
from billing.catalogue.shapes import (
    AddOnSpec,
    Amounts,
    Catalogue,
    CouponSpec,
    PlanSpec,
    PriceSpec,
    SeatPrice,
)
from billing.rating.invoices import rate_period
from billing.rating.lines import Draft
from billing.rating.terms import Period, PeriodFacts, Stretch, Terms
from config.needs import Feature, Meter

USD = "USD"
VERSION = 1


def utc(
    year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0
) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


# A month of 30 days, so that a day is a thirtieth of it.
APRIL = Period(utc(2026, 4, 1), utc(2026, 5, 1))
MIDDLE = utc(2026, 4, 16)
YEAR = Period(utc(2026, 4, 1), utc(2027, 4, 1))


def everywhere(month: int, year: int | None = None) -> Amounts:
    by_interval = {"month": month, "year": month * 10 if year is None else year}
    return Amounts(
        {
            (interval, currency): amount
            for interval, amount in by_interval.items()
            for currency in catalogue.CURRENCIES
        }
    )


def tier(up_to: int | None, unit: str | int, flat: int = 0) -> Tier:
    return Tier(up_to, {USD: Fraction(unit)}, {USD: flat} if flat else {})


def metered(model: PriceModel, *tiers: Tier, included: int = 0, **facts: Any) -> MeteredPrice:
    return MeteredPrice(Meter.EMAILS, model, included, tiers, **facts)


def plan(
    key: str,
    month: int,
    *,
    seats: SeatPrice | None = None,
    prices: Mapping[Meter, MeteredPrice] | None = None,
) -> PlanSpec:
    amounts = everywhere(month).by
    return replace(
        catalogue.plan("starter"),
        key=key,
        prices=tuple(PriceSpec(key, *where, amount) for where, amount in amounts.items()),
        seats=seats,
        metered=prices or {},
    )


SMALL = plan(
    "small",
    2_900,
    seats=SeatPrice(5, 15, everywhere(900)),
    prices={
        Meter.EMAILS: metered(PriceModel.PER_UNIT, tier(None, "0.1"), included=1_000),
        Meter.VISITORS_AT_ONCE: MeteredPrice(
            Meter.VISITORS_AT_ONCE, PriceModel.PER_UNIT, 100, (tier(None, 7),)
        ),
    },
)
LARGE = plan(
    "large",
    9_900,
    seats=SeatPrice(20, None, everywhere(1_200)),
    prices={Meter.EMAILS: metered(PriceModel.PER_UNIT, tier(None, "0.05"), included=10_000)},
)
ADD_ONS = {
    "emails": AddOnSpec(
        "emails",
        "E-mails",
        frozenset({"small", "large"}),
        9,
        {Meter.EMAILS: 500},
        frozenset(),
        everywhere(701),
    ),
    "sso": AddOnSpec(
        "sso",
        "Single sign-on",
        frozenset({"small"}),
        1,
        {},
        frozenset({Feature.SINGLE_SIGN_ON}),
        everywhere(4_900),
    ),
}
SHOP = Catalogue(VERSION, (SMALL, LARGE), ADD_ONS)
FIFTH = CouponSpec("FIFTH", "20 %", share=Fraction(1, 5))
TEN_OFF = CouponSpec("TEN_OFF", "10 off", amounts={USD: 1_000})


def terms(plan: str = "small", *, seats: int = 1, **facts: Any) -> Terms:
    wanted: dict[str, Any] = {
        "interval": "month",
        "currency": USD,
        "catalogue_version": VERSION,
    } | facts
    return Terms(plan=plan, seats=seats, **wanted)


def stretch(
    of: Terms,
    *,
    period: Period = APRIL,
    starts_at: datetime | None = None,
    coupons: tuple[CouponSpec, ...] = (),
) -> Stretch:
    return Stretch(of, period, starts_at or period.starts_at, coupons)


def rated(**facts: Any) -> Draft:
    given: dict[str, Any] = {
        "currency": USD,
        "at": utc(2026, 4, 1),
        "catalogues": {VERSION: SHOP},
    } | facts
    return rate_period(PeriodFacts(**given))


def told(draft: Draft) -> list[tuple[str, str, int, int]]:
    """(kind, subject, quantity, minor units) of each line."""
    return [(line.kind, line.subject, line.quantity, line.amount.amount) for line in draft.lines]


def changed(
    old: Terms,
    new: Terms,
    at: datetime = MIDDLE,
    coupons: tuple[CouponSpec, ...] = (),
    period: Period = APRIL,
) -> Draft:
    return rated(ends=Stretch(old, period, at, coupons), begins=Stretch(new, period, at, coupons))
