"""The models of metered prices, each against data at their borders and against counting unit by unit."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.catalogue.metered import MeteredPrice, PriceModel
from tests.billing.offers import USD, metered, tier

STEPS = (tier(10, 5, 100), tier(20, "2.5"), tier(None, "0.01", 7))
counts = st.integers(min_value=0, max_value=400)


def amount(price: MeteredPrice, quantity: int) -> Fraction:
    return price.amount(quantity, currency=USD)


@pytest.mark.parametrize(
    ("quantity", "cost"),
    # A border belongs to the tier below it; a tier's flat amount is owed from its first unit on.
    [(0, 0), (1, 105), (10, 150), (11, "152.5"), (20, 175), (21, "182.01"), (120, 183)],
)
def test_graduated_charges_each_unit_by_its_own_tier(quantity, cost):
    assert amount(metered(PriceModel.GRADUATED, *STEPS), quantity) == Fraction(cost)


@pytest.mark.parametrize(
    ("quantity", "cost"),
    [(0, 0), (1, 105), (10, 150), (11, "27.5"), (20, 50), (21, "7.21"), (120, "8.2")],
)
def test_volume_charges_all_units_by_the_tier_in_which_their_number_lies(quantity, cost):
    assert amount(metered(PriceModel.VOLUME, *STEPS), quantity) == Fraction(cost)


@pytest.mark.parametrize(("quantity", "packages"), [(0, 0), (1, 1), (100, 1), (101, 2), (200, 2)])
def test_a_begun_package_is_charged_whole(quantity, packages):
    price = metered(PriceModel.PACKAGE, tier(None, "12.5"), size=100)

    assert amount(price, quantity) == packages * Fraction("12.5")


def test_a_percentage_is_of_the_minor_units_that_the_meter_counts():
    price = metered(PriceModel.PERCENTAGE, share=Fraction("0.025"), included=1_000)

    assert amount(price, 1_000) == 0
    assert amount(price, 13_345) == Fraction("308.625")


@pytest.mark.parametrize("model", [PriceModel.PER_UNIT, PriceModel.GRADUATED, PriceModel.VOLUME])
@given(included=counts, quantity=counts)
def test_included_units_are_free_and_the_tiers_begin_after_them(model, included, quantity):
    tiers = (tier(None, "0.3"),) if model is PriceModel.PER_UNIT else STEPS
    with_allowance = metered(model, *tiers, included=included)
    without = metered(model, *tiers)

    assert amount(with_allowance, quantity) == amount(without, max(0, quantity - included))


@given(quantity=counts)
def test_graduated_equals_counting_unit_by_unit(quantity):
    counted = Fraction(0)
    for number in range(1, quantity + 1):
        step = next(each for each in STEPS if each.up_to is None or number <= each.up_to)
        is_first_in_step = number in {1, 11, 21}
        counted += step.unit[USD] + (step.flat.get(USD, 0) if is_first_in_step else 0)

    assert amount(metered(PriceModel.GRADUATED, *STEPS), quantity) == counted


@pytest.mark.parametrize("model", [PriceModel.PER_UNIT, PriceModel.GRADUATED, PriceModel.VOLUME])
@given(quantity=counts, included=counts)
def test_twelve_times_the_use_costs_in_a_year_twelve_times_a_month(model, quantity, included):
    tiers = (tier(None, "0.3"),) if model is PriceModel.PER_UNIT else STEPS
    of_month = metered(model, *tiers, included=included)

    of_year = of_month.times(12, grows=True)

    assert amount(of_year, 12 * quantity) == 12 * amount(of_month, quantity)


def test_in_a_year_a_package_is_rounded_up_once_and_what_does_not_add_up_keeps_its_allowance():
    packages = metered(PriceModel.PACKAGE, tier(None, 8), size=100, included=50).times(
        12, grows=True
    )
    assert amount(packages, 12 * 50 + 101) == 16

    people = metered(PriceModel.PER_UNIT, tier(None, 3), included=50, minimum={USD: 9})
    of_year = people.times(12, grows=False)
    assert (of_year.included, of_year.minimum) == (50, {USD: 108})
