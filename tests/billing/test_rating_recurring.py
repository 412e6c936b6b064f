"""Plan, seats and add-ons: whole periods, and what a change costs for the rest of one, to the second."""

import json
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from billing.catalogue.shapes import CouponSpec
from billing.money import CurrencyMismatch
from billing.rating.terms import Buyer, Period, Terms
from tests.billing.offers import (
    APRIL,
    FIFTH,
    MIDDLE,
    SHOP,
    TEN_OFF,
    USD,
    YEAR,
    changed,
    rated,
    stretch,
    terms,
    told,
    utc,
)


def test_a_period_costs_plan_bought_seats_and_add_ons():
    draft = rated(begins=stretch(terms(seats=8, add_ons=(("emails", 2), ("sso", 1)))))

    assert told(draft) == [
        ("plan", "small", 1, 2_900),
        ("seats", "small", 3, 2_700),
        ("add_on", "emails", 2, 1_402),
        ("add_on", "sso", 1, 4_900),
    ]
    assert dict(draft.lines[1].facts) == {"unit_minor": 900, "interval": "month", "share": [1, 1]}
    assert (draft.lines[0].starts_at, draft.lines[0].ends_at) == (APRIL.starts_at, APRIL.ends_at)


@pytest.mark.parametrize(("seats", "bought"), [(1, 0), (5, 0), (6, 900)])
def test_included_seats_cost_nothing(seats, bought):
    assert rated(begins=stretch(terms(seats=seats))).subtotal.amount == 2_900 + bought


def test_a_year_has_its_own_prices():
    assert told(rated(begins=stretch(terms(interval="year"), period=YEAR))) == [
        ("plan", "small", 1, 29_000)
    ]


def test_an_upgrade_gives_back_the_rest_and_charges_the_rest():
    draft = changed(terms(), terms("large"))

    assert told(draft) == [("plan", "small", 1, -1_450), ("plan", "large", 1, 4_950)]
    assert {(line.starts_at, line.ends_at) for line in draft.lines} == {(MIDDLE, APRIL.ends_at)}
    assert draft.lines[0].facts["share"] == [1, 2]


def test_the_rest_is_counted_by_the_second():
    # One second of 30 days of 9,900 is 0.0038; 131 seconds are the first that round to a unit.
    last = APRIL.ends_at
    assert [
        rated(begins=stretch(terms("large"), starts_at=last - timedelta(seconds=n))).subtotal.amount
        for n in (0, 130, 131, 392, 393)
    ] == [0, 0, 1, 1, 2]


@pytest.mark.parametrize(
    ("period", "at", "rest"),
    [
        # A leap year's February has 29 days: 2900 * 14/29; a common one's 2900 * 14/28.
        (Period(utc(2028, 2, 1), utc(2028, 3, 1)), utc(2028, 2, 16), 1_400),
        (Period(utc(2027, 2, 1), utc(2027, 3, 1)), utc(2027, 2, 15), 1_450),
        # From Jan 31 the period ends on Feb 28: 28 days.
        (Period(utc(2027, 1, 31), utc(2027, 2, 28)), utc(2027, 2, 14), 1_450),
    ],
)
def test_a_period_is_as_long_as_it_is(period, at, rest):
    assert rated(begins=stretch(terms(), period=period, starts_at=at)).subtotal.amount == rest


def test_a_part_of_a_second_and_another_time_zone_change_nothing():
    asked = MIDDLE + timedelta(milliseconds=999)
    there = MIDDLE.astimezone(ZoneInfo("Asia/Tokyo"))

    plain = changed(terms(), terms("large"))

    assert changed(terms(), terms("large"), at=asked).subtotal == plain.subtotal
    assert changed(terms(), terms("large"), at=there).subtotal == plain.subtotal


def test_half_a_minor_unit_goes_to_the_even_one():
    # Half of 701 is 350.5, half of 2 * 701 exactly 701, half of 3 * 701 is 1051.5.
    halves = [
        rated(begins=stretch(terms(add_ons=(("emails", n),)), starts_at=MIDDLE))
        .lines[1]
        .amount.amount
        for n in (1, 2, 3)
    ]

    assert halves == [350, 701, 1_052]


def test_a_seat_more_is_one_line_and_the_unchanged_has_none():
    draft = changed(terms(seats=7), terms(seats=8))

    assert told(draft) == [("seats", "small", 1, 450)]


def test_seats_that_the_larger_plan_includes_are_given_back():
    draft = changed(terms(seats=8), terms("large", seats=8))

    assert told(draft) == [
        ("plan", "small", 1, -1_450),
        ("seats", "small", 3, -1_350),
        ("plan", "large", 1, 4_950),
    ]


def test_nothing_changed_is_an_empty_draft_without_tax():
    same = stretch(terms(seats=8), starts_at=MIDDLE, coupons=(FIFTH,))

    draft = rated(ends=same, begins=same, buyer=Buyer("MX"))

    assert (draft.lines, draft.taxes) == ((), ())


def test_another_version_of_the_price_is_given_back_and_charged_apart():
    plans = tuple(
        replace(
            spec,
            prices=tuple(replace(p, amount_minor=p.amount_minor + 100) for p in spec.prices),
        )
        for spec in SHOP.plans
    )
    draft = rated(
        catalogues={1: SHOP, 2: replace(SHOP, version=2, plans=plans)},
        ends=stretch(terms(), starts_at=MIDDLE),
        begins=stretch(terms(catalogue_version=2), starts_at=MIDDLE),
    )

    assert told(draft) == [("plan", "small", 1, -1_450), ("plan", "small", 1, 1_500)]


def test_another_interval_begins_a_period_of_its_own():
    new = Period(MIDDLE, utc(2027, 4, 16))
    draft = rated(
        ends=stretch(terms(), starts_at=MIDDLE),
        begins=stretch(terms(interval="year"), period=new),
    )

    assert told(draft) == [("plan", "small", 1, -1_450), ("plan", "small", 1, 29_000)]


def test_terms_come_back_from_json_as_they_were():
    full = terms(seats=8, add_ons=(("emails", 2), ("sso", 1)))

    assert Terms.read(json.loads(json.dumps(full.stored()))) == full


def test_two_currencies_do_not_meet_in_one_draft():
    with pytest.raises(CurrencyMismatch):
        rated(ends=stretch(terms(currency="EUR")), begins=stretch(terms()))


def test_a_stretch_outside_its_period_is_refused():
    with pytest.raises(ValueError, match="not within"):
        rated(begins=stretch(terms(), starts_at=utc(2026, 3, 31, 23, 59, 59)))
    with pytest.raises(ValueError, match="no length"):
        Period(MIDDLE, MIDDLE + timedelta(milliseconds=1))


def test_coupons_are_taken_in_their_order_each_off_what_is_left():
    full = terms(seats=7)  # 2,900 and 1,800

    assert told(rated(begins=stretch(full, coupons=(FIFTH, TEN_OFF))))[2:] == [
        ("discount", "FIFTH", 1, -940),
        ("discount", "TEN_OFF", 1, -1_000),
    ]
    assert told(rated(begins=stretch(full, coupons=(TEN_OFF, FIFTH))))[2:] == [
        ("discount", "TEN_OFF", 1, -1_000),
        ("discount", "FIFTH", 1, -740),
    ]


def test_a_coupon_takes_no_more_than_there_is_and_fits_its_plans_alone():
    much = CouponSpec("MUCH", "50 off", amounts={USD: 5_000})
    assert rated(begins=stretch(terms(), coupons=(much,))).subtotal.amount == 0

    of_large = replace(FIFTH, plans=frozenset({"large"}))
    assert rated(begins=stretch(terms(), coupons=(of_large,))).subtotal.amount == 2_900


def test_an_amount_is_of_a_whole_period_and_of_the_rest_in_part():
    half = rated(begins=stretch(terms(), starts_at=MIDDLE, coupons=(TEN_OFF,)))

    assert told(half)[1:] == [("discount", "TEN_OFF", 1, -500)]


@pytest.mark.parametrize(
    ("coupons", "amount"),
    # A third of 2,900 and of 701 are 967 and 234, of 3,601 it is 1,200: all of it is all of it.
    [((), 3_601), ((FIFTH,), 2_881)],
)
def test_what_costs_nothing_for_a_whole_period_costs_nothing_for_a_part(coupons, amount):
    all_off = CouponSpec("ALL", "All", amounts={USD: amount})
    of = terms(add_ons=(("emails", 1),))

    part = stretch(of, starts_at=utc(2026, 4, 21), coupons=(*coupons, all_off))

    assert rated(begins=part).subtotal.amount == 0


def test_an_amount_that_rounds_up_takes_no_more_than_what_rounded_down():
    nearly_all = CouponSpec("NEARLY", "Nearly all", amounts={USD: 5_400})  # of 5,401
    of = terms(seats=7, add_ons=(("emails", 1),))

    hour = stretch(of, starts_at=utc(2026, 4, 30, 23), coupons=(nearly_all,))

    # The lines are 4, 2 and 1; an hour's share of the amount is 7.5.
    assert told(rated(begins=hour))[-1] == ("discount", "NEARLY", 1, -7)


def test_a_change_is_discounted_as_what_it_gives_back_was():
    draft = changed(terms(), terms("large"), coupons=(FIFTH,))

    assert told(draft)[-1] == ("discount", "FIFTH", 1, -700)
    # An amount of the period was and is the same.
    assert told(changed(terms(), terms("large"), coupons=(TEN_OFF,)))[2:] == []


def test_a_coupon_that_came_after_the_period_was_paid_takes_nothing_off_what_is_given_back():
    draft = rated(
        ends=stretch(terms(), starts_at=MIDDLE),
        begins=stretch(terms("large"), starts_at=MIDDLE, coupons=(FIFTH,)),
    )

    assert draft.subtotal.amount == -1_450 + 4_950 - 990
