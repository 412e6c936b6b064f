"""`GET /api/v1/plans`: what everybody may see of the catalogue."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing import catalogue
from billing.plan_shapes import exact_text


@pytest.fixture
def shown(square):
    answer = square.get("/api/v1/plans")
    assert answer.status_code == 200
    return answer.json()


def test_a_plan_tells_what_more_seats_cost_and_how_many_there_may_be(shown):
    seats = {plan["key"]: plan["seats"] for plan in shown["results"]}

    assert seats["free"] == {"included": 2, "most": 2, "prices": []}
    assert seats["enterprise"] == {"included": None, "most": None, "prices": []}
    assert (seats["starter"]["included"], seats["starter"]["most"]) == (5, 15)
    month = {"interval": "month", "price": {"amount": 16_900, "currency": "MXN"}}
    assert month in seats["starter"]["prices"]


def test_a_plan_tells_what_use_above_its_limits_costs_exactly(shown):
    starter = shown["results"][1]
    metered = {each["meter"]: each for each in starter["metered"]}

    emails = metered["emails"]
    assert (emails["model"], emails["included"]) == ("graduated", 25_000)
    assert [tier["up_to"] for tier in emails["tiers"]] == [25_000, 100_000, None]
    assert emails["tiers"][1] == {
        "up_to": 100_000,
        "unit": [
            {"amount_decimal": "0.08", "currency": "USD"},
            {"amount_decimal": "0.0744", "currency": "EUR"},
            {"amount_decimal": "1.48", "currency": "MXN"},
            {"amount_decimal": "40", "currency": "CRC"},
        ],
        "flat": [],
    }
    assert (metered["validations"]["model"], metered["validations"]["size"]) == ("package", 1_000)
    assert shown["results"][0]["metered"] == []


def test_a_plan_has_the_add_ons_that_may_be_bought_with_it_and_no_code_is_told(shown):
    add_ons = {plan["key"]: [each["key"] for each in plan["add_ons"]] for plan in shown["results"]}

    assert add_ons == {
        "free": [],
        "starter": ["contacts", "emails", "single_sign_on"],
        "growth": ["contacts", "emails", "single_sign_on"],
        "scale": ["emails"],
        "enterprise": [],
    }
    emails = shown["results"][3]["add_ons"][0]
    assert (emails["adds"], emails["most"], emails["features"]) == ({"emails": 50_000}, 20, [])
    assert set(shown) == {"version", "results", "next", "previous"}
    assert shown["version"] == catalogue.version()


@given(number=st.decimals(0, 10**6, places=12))
def test_an_exact_number_is_told_exactly(number):
    assert Fraction(exact_text(Fraction(number))) == Fraction(number)


def test_meters_and_add_ons_are_named_in_the_language_that_is_asked_for(square):
    answer = square.get("/api/v1/plans", headers={"Accept-Language": "es"}).json()
    starter = answer["results"][1]
    names = {each["key"]: each["name"] for each in starter["add_ons"]}

    assert names == {
        "contacts": "10 000 contactos",
        "emails": "50 000 correos",
        "single_sign_on": "Inicio de sesión único",
    }
    assert {each["meter"]: each["name"] for each in starter["metered"]}["emails"] == "correos"
