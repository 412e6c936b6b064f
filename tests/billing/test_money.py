"""Money is integers with a currency, rounded half to even, and two currencies never meet."""

from fractions import Fraction

import pytest

from billing.money import CurrencyMismatch, Money, major, total


def test_a_half_goes_to_the_even_side_on_both_sides_of_zero() -> None:
    amounts = [Money(amount, "USD").times(Fraction(1, 2)).amount for amount in (1, 3, 5, -1, -3)]

    assert amounts == [0, 2, 2, 0, -2]


def test_two_currencies_are_never_added_nor_compared() -> None:
    for mixed in (
        lambda: Money(1, "USD") + Money(1, "EUR"),
        lambda: Money(1, "USD") - Money(1, "EUR"),
        lambda: Money(1, "USD") < Money(2, "EUR"),
        lambda: Money(1, "USD") <= Money(2, "EUR"),
        lambda: total([Money(1, "USD")], currency="EUR"),
    ):
        with pytest.raises(CurrencyMismatch):
            mixed()


def test_major_units_are_exact_and_have_their_minus_in_front() -> None:
    assert [major(Money(amount, "MXN")) for amount in (0, 5, 123456, -5, -12345)] == [
        "0.00",
        "0.05",
        "1234.56",
        "-0.05",
        "-123.45",
    ]
