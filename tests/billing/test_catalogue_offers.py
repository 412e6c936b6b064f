"""The catalogue's prices beside a plan's own: seats, use above a limit, add-ons, coupons, credits."""

import copy
import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from billing import catalogue
from billing.catalogue.metered import PriceModel
from billing.catalogue.reading import CatalogueInvalid, read
from billing.catalogue.reference import describe_plans, plan_table, usage_table
from config.needs import Meter

FILE = Path(catalogue.__file__).with_name("plans.toml")
FOUR = {"USD": 1, "EUR": 1, "MXN": 1, "CRC": 1}


@pytest.fixture
def data() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text())


def test_the_plans_that_sell_seats_include_as_many_as_their_limit_says():
    found = {spec.key: spec.seats and spec.seats.included for spec in catalogue.plans()}

    assert found == {"free": None, "starter": 5, "growth": 20, "scale": 100, "enterprise": None}
    assert [spec.most_seats for spec in catalogue.plans()] == [2, 15, 60, 500, None]
    starter = catalogue.plan("starter").seats
    assert starter
    assert starter.amounts.amount_minor(interval="year", currency="MXN") == 169_000


def test_only_sold_plans_bill_use_above_a_limit_and_each_from_its_own_allowance():
    metered = {spec.key: set(spec.metered) for spec in catalogue.plans()}
    assert metered["free"] == metered["enterprise"] == set()
    assert metered["starter"] == metered["growth"] == metered["scale"]

    price = catalogue.plan("growth").metered[Meter.EMAILS]
    assert (price.model, price.included) == (PriceModel.GRADUATED, 250_000)
    assert [tier.up_to for tier in price.tiers] == [250_000, 1_000_000, None]
    assert price.tiers[0].unit["USD"] == Fraction(9, 100)


def test_coupons_and_add_ons_say_what_they_fit():
    partner = catalogue.load().coupons["PARTNER"]
    assert partner.share == Fraction(3, 20)
    assert not partner.fits(plan="starter", currency="USD")
    assert partner.fits(plan="growth", currency="CRC")

    add_on = catalogue.load().add_ons["emails"]
    assert add_on.adds == {Meter.EMAILS: 50_000}
    assert add_on.plans == {"starter", "growth", "scale"}


def put(data: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    spoiled = copy.deepcopy(data)
    *parents, last = path.split(".")
    table = spoiled
    for name in parents:
        table = table[name]
    table[last] = value
    return spoiled


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("plans.free.seats", {"most": 9}, "plans.free.seats: the free plan has none"),
        ("plans.starter.seats.most", 5, "plans.starter.seats.most: a whole number above"),
        ("plans.starter.seats.most", 61, "plans.growth.seats.most: less than in starter"),
        ("plans.starter.seats.month", {"USD": 5}, "plans.starter.seats.month: one amount"),
        ("plans.starter.seats.least", 1, "plans.starter.seats.least: not a setting"),
        ("plans.enterprise.seats", {"most": 9}, "plans.enterprise.seats: none are sold"),
        ("plans.starter.metered.doves", {}, "plans.starter.metered.doves: one of emails"),
        ("plans.starter.metered.contacts", {}, "metered.contacts: counted by the lifetime, not by"),
        ("plans.starter.metered.api_calls", {}, "metered.api_calls: counted by the month, not by"),
        ("plans.starter.metered.bulk_tasks", {}, "metered.bulk_tasks: counted by the day, not by"),
        ("plans.enterprise.metered", {"sms": {}}, "enterprise.metered.sms: nothing lies above"),
        ("plans.starter.metered.sms.model", "guess", "starter.metered.sms.model: one of"),
        ("plans.starter.metered.sms.unit", FOUR | {"USD": 0.5}, "metered.sms.unit: minor units"),
        ("plans.starter.metered.sms.size", 3, "metered.sms.per_unit has unit, and no more"),
        ("plans.starter.metered.sms.minimum", {"USD": 1}, "metered.sms.minimum: one amount"),
        ("plans.starter.metered.tokens.size", 0, "metered.tokens.size: a whole number"),
        ("plans.starter.metered.emails.tiers", [], "metered.emails.tiers: up_to"),
        (
            "plans.starter.metered.emails.tiers",
            [{"up_to": up_to, "unit": FOUR} for up_to in (9, 9, "unlimited")],
            "metered.emails.tiers: each up_to above",
        ),
        ("add_ons.contacts.plans", ["platinum"], "add_ons.contacts.plans: some of"),
        ("add_ons.contacts.adds", {}, "add_ons.contacts.adds: it would give nothing"),
        ("add_ons.contacts.adds", {"unicorns": 1}, "add_ons.contacts.adds: units of"),
        ("add_ons.contacts.colour", 1, "add_ons.contacts.colour: not a setting"),
        ("coupons.WELCOME20.percent", 101, "coupons.WELCOME20.percent: above 0"),
        ("coupons.WELCOME20.amount", FOUR, "coupons.WELCOME20.percent: that or an amount"),
        ("coupons.WELCOME20.periods", 0, "coupons.WELCOME20.periods: a whole number"),
        ("coupons.WELCOME20.redeem_until", "2027-12-31", "coupons.WELCOME20.redeem_until"),
        ("credits.HELLO25.amount", {"USD": 1}, "credits.HELLO25.amount: one amount"),
        ("credits.HELLO25.most_redemptions", 0, "credits.HELLO25.most_redemptions: a whole"),
        ("credits.TENOFF", {"name": "T", "amount": FOUR}, "credits.TENOFF: a coupon has this"),
        ("credits.Hello", {"name": "H", "amount": FOUR}, "Hello: a code is in capital"),
    ],
)
def test_a_wrong_offer_is_refused_by_path(data, path, value, told):
    with pytest.raises(CatalogueInvalid) as refusal:
        read(put(data, path, value))

    assert told in str(refusal.value)


def test_a_catalogue_of_before_these_offers_is_still_read(data):
    for noun in ("add_ons", "coupons", "credits"):
        del data[noun]
    for table in data["plans"].values():
        table.pop("seats", None)
        table.pop("metered", None)

    found = read(data)

    assert [spec.most_seats for spec in found.plans] == [2, 5, 20, 100, None]
    assert (found.add_ons, found.coupons, found.credits) == ({}, {}, {})


def test_the_docs_tell_what_a_seat_more_and_use_above_a_limit_cost():
    assert [row[-1] for row in plan_table()] == ["a seat more", "-", "9.00", "12.00", "15.00", "-"]
    _header, *rows = usage_table()
    assert len(rows) == 3 * 7
    assert rows[0] == [
        "starter", "emails", "25,000", "graduated",
        "0.1 up to 25,000, 0.08 up to 100,000, 0.06",
    ]  # fmt: skip
    assert rows[5][1:] == ["validations", "5,000", "package", "300 for 1,000"]
    assert describe_plans({"info": {}})["info"]["x-usage-prices"][1:] == rows
