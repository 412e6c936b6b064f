"""What use above a limit weighs against a budget is what it costs on the invoice."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing import catalogue
from billing.catalogue.metered import MeteredPrice, PriceModel, Tier
from billing.catalogue.weights import weight_of, weights_of
from config.needs import Meter
from quotas.caps.weights import read

UNITS = st.fractions(min_value=0, max_value=50, max_denominator=10**6)
TIERS = st.builds(
    lambda borders, units, flats: tuple(
        Tier(up_to, {"USD": unit}, {"USD": flat})
        for up_to, unit, flat in zip([*sorted(borders), None], units, flats, strict=False)
    ),
    st.sets(st.integers(1, 400), min_size=3, max_size=3),
    st.lists(UNITS, min_size=4, max_size=4),
    st.lists(st.integers(0, 900), min_size=4, max_size=4),
)


def priced(model: PriceModel, tiers: tuple[Tier, ...], size: int) -> MeteredPrice:
    one = (Tier(None, tiers[0].unit),)
    is_tiered = model in {PriceModel.GRADUATED, PriceModel.VOLUME}
    return MeteredPrice(
        Meter.EMAILS, model, included=100, tiers=tiers if is_tiered else one, size=size,
        share=Fraction(1, 40), minimum={"USD": 5_000},
    )  # fmt: skip


@given(st.sampled_from(list(PriceModel)), TIERS, st.integers(1, 60), st.integers(0, 900))
@settings(max_examples=400, deadline=None)
def test_units_weigh_what_they_cost_and_never_less_than_fewer(
    model: PriceModel, tiers: tuple[Tier, ...], size: int, units: int
) -> None:
    price = priced(model, tiers, size)
    weight = weight_of(price, currency="USD")
    costs = [round(price.amount(100 + each, currency="USD")) for each in range(units + 1)]
    dearest = max(costs) if model is PriceModel.VOLUME else costs[-1]
    assert weight.of(units) == dearest
    assert read(weight.as_json) == weight


@pytest.mark.parametrize("interval", ["month", "year"])
@pytest.mark.parametrize("currency", catalogue.CURRENCIES)
def test_every_price_of_the_catalogue_is_a_weight_that_a_grant_takes(
    interval: str, currency: str
) -> None:
    months = {"month": 1, "year": 12}[interval]
    checked: list[Any] = []
    for spec in catalogue.plans():
        for meter, weight in weights_of(spec, currency=currency, interval=interval).items():
            price = spec.metered[meter].times(months, grows=meter is not Meter.ACTIVE_PEOPLE)
            assert read(weight.as_json) == weight
            for units in (1, 999, 25_001, 1_000_001):
                costs = price.amount(price.included + units, currency=currency)
                checked.append((weight.of(units) - round(costs), price.model))
    assert checked
    assert all(over == 0 for over, model in checked if model is not PriceModel.VOLUME)
    assert all(over >= 0 for over, _ in checked)
