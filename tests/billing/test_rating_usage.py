"""Use of a period as lines: rounded once as a sum, however many bills it comes in."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.catalogue.metered import MeteredPrice, PriceModel
from billing.catalogue.shapes import Catalogue
from billing.money import CurrencyMismatch
from billing.rating.terms import Usage
from config.needs import Meter
from tests.billing.offers import (
    ADD_ONS,
    APRIL,
    FIFTH,
    LARGE,
    TEN_OFF,
    USD,
    VERSION,
    YEAR,
    metered,
    plan,
    rated,
    terms,
    tier,
    told,
    utc,
)


def usage(quantity: int, of=None, **facts) -> Usage:
    given_facts: dict[str, Any] = {
        "meter": Meter.EMAILS,
        "terms": of or terms(),
        "period": APRIL,
    } | facts
    return Usage(quantity=quantity, **given_facts)


def shop_with(price: MeteredPrice) -> dict[int, Catalogue]:
    """The small plan's e-mails at another price."""
    prices = {Meter.EMAILS: price}
    return {VERSION: Catalogue(VERSION, (plan("small", 2_900, prices=prices), LARGE), ADD_ONS)}


def test_units_above_the_allowance_are_billed_as_one_rounded_sum():
    # 25 units of 0.1 are 2.5: half to even. Each unit by itself would be nothing.
    draft = rated(usage=(usage(1_025),))

    assert told(draft) == [("usage", "emails", 1_025, 2)]
    assert dict(draft.lines[0].facts) == {
        "meter": "emails",
        "period_start": "2026-04-01T00:00:00+00:00",
        "model": "per_unit",
        "total": 1_025,
        "included": 1_000,
        "unit_minor": "1/10",
        "size": 1,
    }
    assert told(rated(usage=(usage(1_035),))) == [("usage", "emails", 1_035, 4)]


def test_use_within_the_allowance_is_told_and_costs_nothing():
    assert told(rated(usage=(usage(1_000),))) == [("usage", "emails", 1_000, 0)]
    assert told(rated(usage=(usage(0),))) == []


def test_a_meter_without_a_price_in_the_plan_is_not_billed():
    assert told(rated(usage=(usage(9, meter=Meter.SMS),))) == []
    assert told(rated(usage=(usage(9, terms("large"), meter=Meter.VISITORS_AT_ONCE),))) == []


def test_add_ons_and_gifts_widen_the_allowance_and_a_year_has_twelve_of_the_first_two():
    of = terms(add_ons=(("emails", 2),))
    assert told(rated(usage=(usage(2_110, of, extra=10),))) == [("usage", "emails", 2_110, 10)]

    of = replace(of, interval="year")
    inside = usage(24_010, of, extra=10, period=YEAR)
    assert told(rated(usage=(inside,))) == [("usage", "emails", 24_010, 0)]
    assert told(rated(usage=(replace(inside, quantity=24_110),)))[0][3] == 10


def test_the_most_at_the_same_time_has_the_same_allowance_in_a_year():
    of = terms(interval="year")
    draft = rated(usage=(usage(103, of, meter=Meter.VISITORS_AT_ONCE, period=YEAR),))

    assert told(draft) == [("usage", "visitors_at_once", 103, 21)]


def test_late_use_costs_what_it_adds_and_says_that_it_is_late():
    late = usage(1_055, billed=1_025, is_late=True)

    # 5.5 in all is 6; 2 were billed. The late units alone would be 3.
    assert told(rated(usage=(late,))) == [("late_usage", "emails", 30, 4)]


def test_a_correction_downward_is_given_back():
    assert told(rated(usage=(usage(900, billed=1_055),))) == [("usage", "emails", 155, -6)]


def test_units_that_came_too_late_for_their_period_are_named():
    draft = rated(usage=(usage(1_020, late_units=15),))

    assert draft.lines[0].facts["late_units"] == 15


@given(
    marks=st.lists(st.integers(0, 60_000), min_size=1, max_size=8),
    model=st.sampled_from([PriceModel.PER_UNIT, PriceModel.GRADUATED, PriceModel.VOLUME]),
    minimum=st.integers(0, 4_000),
)
def test_in_how_many_bills_units_come_changes_no_cent(marks, model, minimum):
    steps = (tier(500, "1.37", 11), tier(9_000, "0.333"), tier(None, "0.05"))
    tiers = steps[2:] if model is PriceModel.PER_UNIT else steps
    price = metered(model, *tiers, included=700, minimum={USD: minimum})
    catalogues = shop_with(price)

    def cost(**facts) -> int:
        coupons = (FIFTH,)
        return rated(
            usage=(usage(coupons=coupons, **facts),), catalogues=catalogues
        ).subtotal.amount

    first = cost(quantity=marks[0])
    rest = sum(cost(quantity=now, billed=before) for before, now in pairwise(marks))

    assert first + rest == cost(quantity=marks[-1])


def test_a_minimum_is_topped_up_once_and_given_back_as_late_use_fills_it():
    price = metered(PriceModel.PER_UNIT, tier(None, 2), minimum={USD: 1_000})
    catalogues = shop_with(price)

    first = rated(usage=(usage(300),), catalogues=catalogues)
    late = rated(usage=(usage(700, billed=300, is_late=True),), catalogues=catalogues)

    assert told(first) == [("usage", "emails", 300, 600), ("minimum", "emails", 1, 400)]
    assert told(late) == [("late_usage", "emails", 400, 800), ("minimum", "emails", 1, -400)]
    assert first.subtotal.amount + late.subtotal.amount == 1_400


def test_a_minimum_is_owed_without_use_and_for_a_part_of_the_period_in_part():
    price = metered(PriceModel.PER_UNIT, tier(None, 2), minimum={USD: 1_001})
    catalogues = shop_with(price)
    part = usage(0, ends_at=utc(2026, 4, 16))

    assert told(rated(usage=(usage(0),), catalogues=catalogues)) == [
        ("minimum", "emails", 1, 1_001)
    ]
    # 500.5: half to even.
    assert told(rated(usage=(part,), catalogues=catalogues)) == [("minimum", "emails", 1, 500)]


def test_after_a_change_each_unit_is_billed_under_the_terms_in_force_when_it_was_used():
    at = utc(2026, 4, 11)
    before = usage(3_000, ends_at=at)
    after = usage(12_000, terms("large"), quantity_before=3_000, starts_at=at)

    # 2,000 above the small plan's 1,000; then up to 12,000 against the large plan's whole 10,000.
    assert told(rated(usage=(before, after))) == [
        ("usage", "emails", 3_000, 200),
        ("usage", "emails", 9_000, 100),
    ]


def test_units_of_before_the_change_are_not_billed_again_under_the_new_terms():
    after = usage(12_000, terms("large"), quantity_before=10_500, starts_at=utc(2026, 4, 11))

    assert told(rated(usage=(after,))) == [("usage", "emails", 1_500, 75)]


def test_what_was_above_the_old_allowance_stays_owed_though_the_new_one_holds_it():
    at = utc(2026, 4, 30, 23, 59, 59)
    upgraded = (usage(9_000, ends_at=at), usage(9_000, terms("large"), quantity_before=9_000))

    assert rated(usage=upgraded).subtotal.amount == 800


def test_a_share_takes_its_part_of_use_and_an_amount_takes_none():
    draft = rated(usage=(usage(1_225, coupons=(TEN_OFF, FIFTH)),))

    assert told(draft) == [("usage", "emails", 1_225, 22), ("discount", "FIFTH", 1, -4)]


def test_a_coupon_takes_nothing_off_use_that_it_does_not_hold_for():
    emails = usage(2_000, coupons=(FIFTH,))
    visitors = usage(200, meter=Meter.VISITORS_AT_ONCE)

    assert told(rated(usage=(emails, visitors)))[2:] == [("discount", "FIFTH", 1, -20)]


def test_use_in_another_currency_is_refused():
    with pytest.raises(CurrencyMismatch):
        rated(usage=(usage(2_000, terms(currency="EUR")),))


def test_a_discount_is_of_all_use_of_a_period_and_not_of_each_meter():
    emails = usage(1_025, coupons=(FIFTH,))
    visitors = usage(101, meter=Meter.VISITORS_AT_ONCE, coupons=(FIFTH,))

    # A fifth of 2 and of 7 would each be 0 and 1; of 9 it is 1.8.
    assert told(rated(usage=(emails, visitors)))[-1] == ("discount", "FIFTH", 1, -2)
