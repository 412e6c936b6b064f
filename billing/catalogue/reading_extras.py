"""Read what is sold or given beside the plans (add-ons, coupons, credits), or say what is wrong."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any

from billing.catalogue.reading_metered import amounts
from billing.catalogue.shapes import AddOnSpec, CouponSpec, CreditSpec
from billing.catalogue.values import (
    INTERVALS,
    UNLIMITED,
    faults_of_amounts,
    faults_of_prices,
    faults_of_table,
    is_count,
    is_exact,
    is_limit,
    is_text,
    limit,
)
from config.needs import Feature, Meter

_ADD_ON = frozenset({"name", "plans", "most", "adds", "features", *INTERVALS})
_COUPON = frozenset(
    {"name", "percent", "amount", "periods", "plans", "redeem_until", "most_redemptions"}
)
_CREDIT = frozenset({"name", "amount", "redeem_until", "most_redemptions"})


def extras(data: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The catalogue's add_ons, coupons and credits, by key."""
    return {
        "add_ons": {key: _add_on(key, table) for key, table in data.get("add_ons", {}).items()},
        "coupons": {key: _coupon(key, table) for key, table in data.get("coupons", {}).items()},
        "credits": {key: _credit(key, table) for key, table in data.get("credits", {}).items()},
    }


def _add_on(key: str, table: Mapping[str, Any]) -> AddOnSpec:
    return AddOnSpec(
        key=key,
        name=table["name"],
        plans=frozenset(table["plans"]),
        most=table["most"],
        adds={Meter(name): units for name, units in table.get("adds", {}).items()},
        features=frozenset(Feature(name) for name in table.get("features", [])),
        amounts=amounts(table),
    )


def _credit(key: str, table: Mapping[str, Any]) -> CreditSpec:
    return CreditSpec(
        key, table["name"], table["amount"], _until(table), table.get("most_redemptions")
    )


def _until(table: Mapping[str, Any]) -> datetime | None:
    until = table.get("redeem_until")
    return datetime.fromisoformat(until) if until else None


def _coupon(key: str, table: Mapping[str, Any]) -> CouponSpec:
    return CouponSpec(
        key=key,
        name=table["name"],
        share=Fraction(table["percent"]) / 100 if "percent" in table else None,
        amounts=table.get("amount", {}),
        periods=limit(table["periods"]),
        plans=frozenset(table.get("plans", [])),
        redeem_until=_until(table),
        most_redemptions=table.get("most_redemptions"),
    )


def faults_of_extras(data: Mapping[str, Any], plans: Collection[str]) -> Iterator[str]:
    """`plans` are the keys of the file's plans."""
    for noun, faults in (
        ("add_ons", _faults_of_add_on),
        ("coupons", _faults_of_coupon),
        ("credits", _faults_of_credit),
    ):
        tables = data.get(noun, {})
        if not isinstance(tables, dict):
            yield f"{noun}: a table for each"
            continue
        for key, table in tables.items():
            yield from (f"{noun}.{key}.{fault}" for fault in faults(table, plans))
    yield from _faults_of_codes(data)


def _faults_of_add_on(table: Any, plans: Collection[str]) -> Iterator[str]:
    wrong = list(faults_of_table(table, _ADD_ON, "an add-on"))
    if wrong:
        yield from wrong
        return
    if not is_text(table.get("name")):
        yield "name: a text"
    if not is_count(table.get("most"), least=1):
        yield "most: a whole number from 1"
    yield from _faults_of_plans(table.get("plans"), plans)
    yield from _faults_of_contents(table)
    yield from faults_of_prices(table)


def _faults_of_contents(table: Mapping[str, Any]) -> Iterator[str]:
    adds, features = table.get("adds", {}), table.get("features", [])
    if not isinstance(adds, dict) or not set(adds) <= set(Meter):
        yield f"adds: units of {', '.join(Meter)}"
    elif not all(is_count(units, least=1) for units in adds.values()):
        yield "adds: whole numbers from 1"
    if not isinstance(features, list) or not set(features) <= set(Feature):
        yield f"features: some of {', '.join(Feature)}"
    if not adds and not features:
        yield "adds: it would give nothing"


def _faults_of_plans(named: object, plans: Collection[str]) -> Iterator[str]:
    if not isinstance(named, list) or not named or not set(named) <= set(plans):
        yield f"plans: some of {', '.join(plans)}"


def _faults_of_coupon(table: Any, plans: Collection[str]) -> Iterator[str]:
    wrong = list(faults_of_table(table, _COUPON, "a coupon"))
    if wrong:
        yield from wrong
        return
    if not is_text(table.get("name")):
        yield "name: a text"
    if not is_limit(table.get("periods"), least=1):
        yield f"periods: a whole number from 1, or {UNLIMITED!r}"
    if "plans" in table:
        yield from _faults_of_plans(table["plans"], plans)
    yield from _faults_of_worth(table)
    yield from _faults_of_redeeming(table)


def _faults_of_worth(table: Mapping[str, Any]) -> Iterator[str]:
    if ("percent" in table) == ("amount" in table):
        yield "percent: that or an amount"
    elif "amount" in table:
        yield from faults_of_amounts("amount", table["amount"])
    elif not is_exact(table["percent"]) or not 0 < Fraction(table["percent"]) <= 100:
        yield "percent: above 0, at most 100"


def _faults_of_redeeming(table: Mapping[str, Any]) -> Iterator[str]:
    if "most_redemptions" in table and not is_count(table["most_redemptions"], least=1):
        yield "most_redemptions: a whole number from 1"
    if "redeem_until" in table and not _is_moment(table["redeem_until"]):
        yield 'redeem_until: a moment as text, "2027-12-31T00:00:00Z"'


def _is_moment(text: object) -> bool:
    try:
        return isinstance(text, str) and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _faults_of_credit(table: Any, plans: Collection[str]) -> Iterator[str]:
    wrong = list(faults_of_table(table, _CREDIT, "a credit"))
    if wrong:
        yield from wrong
        return
    if not is_text(table.get("name")):
        yield "name: a text"
    yield from faults_of_amounts("amount", table.get("amount"))
    yield from _faults_of_redeeming(table)


def _faults_of_codes(data: Mapping[str, Any]) -> Iterator[str]:
    """Somebody types them: capital letters, and one meaning each."""
    coupons, credit = data.get("coupons", {}), data.get("credits", {})
    for key in [*coupons, *credit]:
        if key != key.strip().upper():
            yield f"{key}: a code is in capital letters"
        elif key in coupons and key in credit:
            yield f"credits.{key}: a coupon has this code"
