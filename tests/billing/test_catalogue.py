"""The catalogue: what is for sale, and what a wrong file is told."""

import copy
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from billing import catalogue
from billing.catalogue.reading import CatalogueInvalid, read
from billing.catalogue.reference import describe_plans, plan_table
from config.needs import Feature, Meter

FILE = Path(catalogue.__file__).with_name("plans.toml")


@pytest.fixture
def data() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text())


def test_the_plans_stand_in_order_of_price_with_the_contract_s_numbers():
    found = [(p.key, p.limits[Meter.CONTACTS], p.limits[Meter.SEATS]) for p in catalogue.plans()]

    assert found == [
        ("free", 500, 2),
        ("starter", 5_000, 5),
        ("growth", 50_000, 20),
        ("scale", 1_000_000, 100),
        ("enterprise", None, None),
    ]


def test_every_paid_plan_has_a_trial_and_a_price_in_each_currency_and_interval():
    paid = [plan for plan in catalogue.plans() if plan.is_paid]

    assert [plan.key for plan in paid] == ["starter", "growth", "scale", "enterprise"]
    assert {plan.trial_days for plan in paid} == {14}
    for plan in paid:
        assert {(price.currency, price.interval) for price in plan.prices} == {
            (currency, interval)
            for currency in ("USD", "EUR", "MXN", "CRC")
            for interval in ("month", "year")
        }


def test_a_plan_has_every_feature_of_the_cheaper_ones():
    features = [plan.features for plan in catalogue.plans()]

    assert all(lower <= upper for lower, upper in pairwise(features))
    assert features[-1] == frozenset(Feature)


def test_the_ladders_name_plans_in_order_of_price():
    assert catalogue.ladder(Meter.SEATS) == (
        ("free", 2),
        ("starter", 5),
        ("growth", 20),
        ("scale", 100),
        ("enterprise", None),
    )
    assert catalogue.feature_ladder()["crm"] == "free"
    assert catalogue.feature_ladder()["campaigns"] == "starter"
    assert set(catalogue.feature_ladder()) == set(Feature)


def test_each_plan_has_more_requests_at_work_at_once_than_the_one_below():
    places = [plan.rates["concurrency"] for plan in catalogue.plans()]

    assert places == [(20, 60), (40, 60), (100, 60), (200, 60), (400, 60)]


def test_dear_endpoints_have_a_rate_in_every_plan_which_a_plan_may_raise(data):
    data["plans"]["scale"]["rates"]["endpoint:predictions"] = {"requests": 60, "seconds": 60}

    found = {plan.key: plan.rates for plan in read(data).plans}

    assert dict(found["free"]) == {
        "tenant": (600, 60),
        "concurrency": (20, 60),
        "endpoint:content_generate": (10, 60),
        "endpoint:predictions": (10, 60),
        "endpoint:document_generate": (5, 60),
    }
    assert found["scale"]["endpoint:predictions"] == (60, 60)
    assert found["scale"]["endpoint:document_generate"] == (5, 60)


def test_an_unknown_plan_is_a_key_error():
    with pytest.raises(KeyError):
        catalogue.plan("platinum")


def spoil(data: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    spoiled = copy.deepcopy(data)
    *parents, last = path.split(".")
    table = spoiled
    for name in parents:
        table = table[name]
    if value is None:
        del table[last]
    else:
        table[last] = value
    return spoiled


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("version", 0, "version"),
        ("plans", {"starter": {}}, "plans"),
        ("plans.free.name", " ", "plans.free.name"),
        ("plans.free.colour", "red", "plans.free.colour"),
        ("plans.starter.trial_days", 0, "plans.starter.trial_days"),
        ("plans.starter.trial_days", True, "plans.starter.trial_days"),
        ("plans.starter.features", ["telepathy"], "'telepathy'"),
        ("plans.growth.limits.seats", -1, "plans.growth.limits.seats"),
        ("plans.growth.limits.seats", "many", "plans.growth.limits.seats"),
        ("plans.growth.limits.seats", None, "plans.growth.limits"),
        ("plans.growth.limits.seats", 3, "plans.growth.limits.seats: less than in starter"),
        ("plans.growth.limits.unicorns", 3, "plans.growth.limits"),
        ("plans.scale.rates.tenant", None, "plans.scale.rates"),
        ("plans.scale.rates.tenant.seconds", 0, "plans.scale.rates.tenant"),
        ("endpoint_rates", {}, "endpoint_rates: one for each"),
        ("endpoint_rates.predictions.requests", 0, "endpoint_rates.predictions"),
        ("plans.scale.prices.month.USD", 19.99, "plans.scale.prices.month"),
        ("plans.scale.prices.month.CRC", None, "plans.scale.prices.month"),
        ("plans.scale.prices.year", None, "plans.scale.prices"),
        ("plans.scale.prices.month.USD", 9_900, "plans.scale.prices.month.USD: not above growth"),
        ("plans.free.prices", {"month": {}}, "plans.free.prices"),
    ],
)
def test_a_wrong_file_is_refused_by_path(data, path, value, told):
    with pytest.raises(CatalogueInvalid) as refusal:
        read(spoil(data, path, value))

    assert told in str(refusal.value)


def test_every_fault_is_told_at_once(data):
    spoiled = spoil(spoil(data, "version", 0), "plans.free.name", 7)

    with pytest.raises(CatalogueInvalid) as refusal:
        read(spoiled)

    assert "version" in str(refusal.value)
    assert "plans.free.name" in str(refusal.value)


def test_the_docs_table_has_a_row_for_each_plan():
    header, *rows = plan_table()

    assert header[:2] == ["plan", "USD a month"]
    assert [row[0] for row in rows] == [plan.key for plan in catalogue.plans()]
    assert rows[1][1] == "29.00"
    described = describe_plans({"info": {}})["info"]["x-plans"]
    assert described == [header, *rows]
    assert rows[-1][:3] == ["enterprise", "1,999.00", "unlimited"]
