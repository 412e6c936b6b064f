"""Use of a period above its allowance, its minimum, and the discounts on both.

A line is the difference of two rounded sums: what all units up to now cost, less what all up to the
bill before cost. In how many bills a period's units arrive (late, corrected, ahead) changes no cent.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from billing.catalogue.metered import MeteredPrice
from billing.catalogue.shapes import Catalogue
from billing.money import Money
from billing.rating.discounts import usage_discounts
from billing.rating.lines import Line, LineKind
from billing.rating.terms import Terms, Usage
from config.needs import Meter
from quotas.meters import METERS, Aggregation
from quotas.periods import MONTHS_IN


@dataclass(frozen=True, slots=True)
class Owed:
    """What a number of units costs: used units, and what the minimum asks on top of them."""

    used: Money
    minimum: Money

    @property
    def all(self) -> Money:
        return self.used + self.minimum


def usage_lines(
    *, usage: Sequence[Usage], catalogues: Mapping[int, Catalogue], currency: str
) -> Iterator[Line]:
    """Raises KeyError for a plan or version that the catalogues lack."""
    rated = [
        (each, price)
        for each in usage
        if (price := price_in(each.terms, each.meter, catalogues, extra=each.extra))
    ]
    for each, price in rated:
        yield from _lines(each, price, currency)
    yield from _discount_lines(rated, currency)


def price_in(
    terms: Terms, meter: Meter, catalogues: Mapping[int, Catalogue], *, extra: int = 0
) -> MeteredPrice | None:
    """The meter's price for a period of these terms, its allowance with add-ons and `extra` units.

    None where the plan bills no use of it: there its limit refuses, or nobody counts.
    """
    catalogue = catalogues[terms.catalogue_version]
    price = catalogue.plan(terms.plan).metered.get(meter)
    if price is None:
        return None
    added = sum(
        catalogue.add_ons[key].adds.get(meter, 0) * quantity for key, quantity in terms.add_ons
    )
    grows = METERS[meter].aggregation is Aggregation.SUM
    of_month = replace(price, included=price.included + added)
    of_period = of_month.times(MONTHS_IN[terms.interval], grows=grows)
    return replace(of_period, included=of_period.included + extra)


def owed(usage: Usage, price: MeteredPrice, quantity: int, currency: str) -> Owed:
    """What the part's units cost when the period's total stood at `quantity`."""
    used = _rounded(price, quantity, currency) - _rounded(price, usage.quantity_before, currency)
    least = Money(price.minimum.get(currency, 0), currency).times(usage.share)
    return Owed(used, max(least - used, Money(0, currency)))


def _rounded(price: MeteredPrice, quantity: int, currency: str) -> Money:
    return Money(round(price.amount(quantity, currency=currency)), currency)


def _billed(usage: Usage, price: MeteredPrice, currency: str) -> Owed:
    if usage.billed is None:
        return Owed(Money(0, currency), Money(0, currency))
    return owed(usage, price, usage.billed, currency)


def _lines(usage: Usage, price: MeteredPrice, currency: str) -> Iterator[Line]:
    now, before = owed(usage, price, usage.quantity, currency), _billed(usage, price, currency)
    units = usage.quantity - (usage.quantity_before if usage.billed is None else usage.billed)
    used, minimum = now.used - before.used, now.minimum - before.minimum
    if units or used.amount:
        kind = LineKind.LATE_USAGE if usage.is_late else LineKind.USAGE
        yield _line(usage, kind, abs(units), used, _facts(usage, price, currency))
    if minimum.amount:
        facts = {"meter": usage.meter.value, "period_start": _text(usage.period.starts_at)}
        yield _line(usage, LineKind.MINIMUM, 1, minimum, facts)


def _line(
    usage: Usage, kind: LineKind, quantity: int, amount: Money, facts: dict[str, Any]
) -> Line:
    return Line(
        kind=kind,
        subject=usage.meter.value,
        quantity=quantity,
        amount=amount,
        starts_at=usage.starts_at or usage.period.starts_at,
        ends_at=usage.ends_at or usage.period.ends_at,
        facts=facts,
    )


def _facts(usage: Usage, price: MeteredPrice, currency: str) -> dict[str, Any]:
    """`total` is the period's, `included` its allowance; a unit's price is in minor units, exactly."""
    facts: dict[str, Any] = {
        "meter": usage.meter.value,
        "period_start": _text(usage.period.starts_at),
        "model": price.model.value,
        "total": usage.quantity,
        "included": price.included,
    }
    if usage.late_units:
        facts["late_units"] = usage.late_units
    if len(price.tiers) == 1:
        facts |= {"unit_minor": str(price.tiers[0].unit[currency]), "size": price.size}
    return facts


def _text(moment: datetime) -> str:
    return moment.isoformat()


def _discount_lines(rated: Sequence[tuple[Usage, MeteredPrice]], currency: str) -> Iterator[Line]:
    """One line for each coupon and part of a period, on all that is used in it."""
    parts: dict[tuple[Any, ...], list[tuple[Usage, MeteredPrice]]] = {}
    for usage, price in rated:
        coupons = tuple(coupon.key for coupon in usage.coupons)
        key = usage.terms.plan, usage.starts_at, usage.ends_at, usage.period, coupons
        parts.setdefault(key, []).append((usage, price))
    for part in parts.values():
        yield from _discounts_of_part(part, currency)


def _discounts_of_part(part: Sequence[tuple[Usage, MeteredPrice]], currency: str) -> Iterator[Line]:
    usage = part[0][0]
    zero = Money(0, currency)
    now = sum((owed(each, price, each.quantity, currency).all for each, price in part), zero)
    before = sum((_billed(each, price, currency).all for each, price in part), zero)
    off_now = dict(_off(usage, now))
    off_before = dict(_off(usage, before))
    for key, amount in off_now.items():
        difference = amount - off_before[key]
        if difference.amount:
            facts = {"of": "usage"}
            yield replace(_line(usage, LineKind.DISCOUNT, 1, -difference, facts), subject=key)


def _off(usage: Usage, base: Money) -> Iterator[tuple[str, Money]]:
    for coupon, amount in usage_discounts(usage.coupons, base, plan=usage.terms.plan):
        yield coupon.key, amount
