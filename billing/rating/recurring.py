"""Plan, seats and add-ons for the rest of a period, and the discounts on them.

Everything is a difference of rounded amounts: what the new terms cost for the rest, less what the old
ones cost for it, item by item. So what is unchanged has no line, a chain of changes gives back never
more than was paid, and a discount of all leaves exactly nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.catalogue.shapes import Catalogue, PlanSpec
from billing.money import Money, total
from billing.rating.discounts import discounts
from billing.rating.lines import Line, LineKind
from billing.rating.terms import Period, Stretch, Terms


@dataclass(frozen=True, slots=True)
class Item:
    """What one line is about: equal items of the old and the new terms are one line, or none."""

    kind: LineKind
    subject: str
    unit: Money
    interval: str
    period: Period
    starts_at: datetime


@dataclass(frozen=True, slots=True)
class Charge:
    """`whole` is what the quantity costs for a whole period."""

    quantity: int
    amount: Money
    whole: Money


NOTHING: Mapping[Item, Charge] = {}


def recurring_lines(
    *,
    begins: Stretch | None,
    ends: Stretch | None,
    catalogues: Mapping[int, Catalogue],
    currency: str,
) -> Iterator[Line]:
    """What is given back first, then what is charged, then the discounts. Raises CurrencyMismatch."""
    new = charges(begins, catalogues) if begins else NOTHING
    old = charges(ends, catalogues) if ends else NOTHING
    for item in {**old, **new}:
        line = _difference(item, old.get(item), new.get(item), currency)
        if line:
            yield line
    yield from _discount_lines((begins, new), (ends, old), currency)


def charges(stretch: Stretch, catalogues: Mapping[int, Catalogue]) -> dict[Item, Charge]:
    """Each item of the terms with what it costs for the stretch, rounded once. Raises KeyError."""
    catalogue = catalogues[stretch.terms.catalogue_version]
    return {
        Item(
            kind, subject, unit, stretch.terms.interval, stretch.period, stretch.starts_at
        ): Charge(quantity, unit.times(quantity * stretch.share), unit.times(quantity))
        for kind, subject, unit, quantity in _priced(stretch.terms, catalogue)
    }


def _priced(terms: Terms, catalogue: Catalogue) -> Iterator[tuple[LineKind, str, Money, int]]:
    """(kind, subject, price of one for a whole period, how many)."""
    spec = catalogue.plan(terms.plan)
    price = spec.price(currency=terms.currency, interval=terms.interval)
    if price:
        yield LineKind.PLAN, spec.key, Money(price.amount_minor, price.currency), 1
    yield from _bought_seats(terms, spec)
    for key, quantity in terms.add_ons:
        unit = catalogue.add_ons[key].amounts.amount_minor(
            interval=terms.interval, currency=terms.currency
        )
        yield LineKind.ADD_ON, key, Money(unit, terms.currency), quantity


def whole_cycle(terms: Terms, catalogue: Catalogue) -> Money:
    """What plan, seats and add-ons cost for a whole period, before discounts and taxes. Raises KeyError."""
    priced = (unit.times(quantity) for _, _, unit, quantity in _priced(terms, catalogue))
    return total(priced, currency=terms.currency)


def _bought_seats(terms: Terms, spec: PlanSpec) -> Iterator[tuple[LineKind, str, Money, int]]:
    seats = spec.seats
    if seats and terms.seats > seats.included:
        unit = seats.amounts.amount_minor(interval=terms.interval, currency=terms.currency)
        bought = terms.seats - seats.included
        yield LineKind.SEATS, spec.key, Money(unit, terms.currency), bought


def _difference(item: Item, old: Charge | None, new: Charge | None, currency: str) -> Line | None:
    nothing = Charge(0, Money(0, currency), Money(0, currency))
    before, after = old or nothing, new or nothing
    amount = after.amount - before.amount
    if not amount.amount:
        return None
    return Line(
        kind=item.kind,
        subject=item.subject,
        quantity=abs(after.quantity - before.quantity),
        amount=amount,
        starts_at=item.starts_at,
        ends_at=item.period.ends_at,
        facts=_facts(item),
    )


def _facts(item: Item) -> dict[str, Any]:
    """`share` is numerator and denominator of the period's share."""
    share = item.period.share(item.starts_at, item.period.ends_at)
    return {
        "unit_minor": item.unit.amount,
        "interval": item.interval,
        "share": [share.numerator, share.denominator],
    }


def _discount_lines(
    new: tuple[Stretch | None, Mapping[Item, Charge]],
    old: tuple[Stretch | None, Mapping[Item, Charge]],
    currency: str,
) -> Iterator[Line]:
    off: dict[tuple[str, datetime, datetime], Money] = {}
    for (stretch, charged), sign in ((old, -1), (new, 1)):
        if stretch is None:
            continue
        base = total((charge.amount for charge in charged.values()), currency=currency)
        whole = total((charge.whole for charge in charged.values()), currency=currency)
        for coupon, amount in discounts(stretch, base, whole=whole):
            key = coupon.key, stretch.starts_at, stretch.period.ends_at
            off[key] = off.get(key, Money(0, currency)) + amount.times(sign)
    for (coupon_key, starts_at, ends_at), amount in off.items():
        if amount.amount:
            yield Line(LineKind.DISCOUNT, coupon_key, 1, -amount, starts_at, ends_at)
