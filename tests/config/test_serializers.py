from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework import serializers

from config.money import _ACTIVE, CURRENCIES, LARGEST_MINOR
from config.serializers import (
    LineField,
    Money,
    PlainJSONField,
    PositiveMoney,
    StrictSerializer,
    TextField,
    WholeNumberField,
    parse_changes,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text("aé漢🎉\\\"'", max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)


def depth(value) -> int:
    inner = (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    )
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


class Thing(StrictSerializer):
    id = serializers.IntegerField(read_only=True)
    name = LineField(max_length=5)
    note = TextField(required=False, allow_blank=True)
    count = WholeNumberField(required=False)
    price = Money(required=False)
    extra = PlainJSONField(required=False, max_bytes=100, max_depth=3)


def errors_of(data, serializer=Thing, **options):
    reader = serializer(data=data, **options)
    reader.is_valid()
    return {
        name: [str(message) for message in messages] if isinstance(messages, list) else messages
        for name, messages in reader.errors.items()
    }


def test_unknown_and_read_only_fields_are_refused_beside_the_known_ones():
    assert errors_of({"id": 1, "nmae": "x", "count": "1"}) == {
        "id": ["Unknown field."],
        "nmae": ["Unknown field."],
        "name": ["This field is required."],
        "count": ["A valid integer is required."],
    }


def test_a_flood_of_unknown_fields_is_answered_in_bounds():
    flood = {f"{'x' * 1000}{number}": 1 for number in range(1000)} | {"name": "a"}

    errors = errors_of(flood)

    assert len(errors) <= 20
    assert max(len(name) for name in errors) == 100


@pytest.mark.parametrize("number", [0, 1, -1, 2**70])
def test_a_whole_number_is_a_json_integer(number):
    assert WholeNumberField().run_validation(number) == number


@pytest.mark.parametrize("number", [1.0, "1", True, False, None, [1], {}])
def test_nothing_else_is_a_whole_number(number):
    with pytest.raises(serializers.ValidationError):
        WholeNumberField().run_validation(number)


@pytest.mark.parametrize("currency", ["USD", "EUR", "MXN", "JPY", "XAF"])
def test_money_is_an_integer_of_minor_units_and_a_currency(currency):
    data = {"amount": LARGEST_MINOR, "currency": currency}

    assert Money().run_validation(data) == data


@pytest.mark.parametrize(
    "data",
    [
        {"amount": -1, "currency": "USD"},
        {"amount": LARGEST_MINOR + 1, "currency": "USD"},
        {"amount": 1, "currency": "XXX"},
        {"amount": 1, "currency": "usd"},
        {"amount": 1},
        {"currency": "USD"},
        {"amount": 1, "currency": "USD", "unit": "cents"},
        "1 USD",
    ],
)
def test_nothing_else_is_money(data):
    with pytest.raises(serializers.ValidationError):
        Money().run_validation(data)


def test_money_may_be_nothing_and_positive_money_may_not():
    nothing = {"amount": 0, "currency": "USD"}

    assert Money().run_validation(nothing) == nothing
    with pytest.raises(serializers.ValidationError):
        PositiveMoney().run_validation(nothing)


def test_currencies_are_three_capitals_and_none_is_twice():
    assert len(CURRENCIES) == len(_ACTIVE.split()) == 155
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in CURRENCIES)


def test_a_patch_reads_only_what_it_names_and_money_stays_whole():
    assert parse_changes(Thing, {"note": ""}) == {"note": ""}
    assert errors_of({"price": {"amount": 1}}, partial=True) == {
        "price": {"currency": ["This field is required."]}
    }


@given(JSON)
def test_plain_json_is_given_back_as_it_came_or_refused(value):
    field = PlainJSONField(max_bytes=10_000, max_depth=4, allow_null=True)

    if depth(value) <= 4:
        assert field.run_validation(value) == value
    else:
        with pytest.raises(serializers.ValidationError, match="Nested deeper than 4 levels"):
            field.run_validation(value)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({"a": "\x00"}, "unstorable"),
        ({"\x00": 1}, "unstorable"),
        (["\udfff"], "unstorable"),
        ({"\ud800": 1}, "unstorable"),
        (float("nan"), "invalid"),
        ([float("inf")], "invalid"),
        ([[[[]]]], "too_deep"),
        ({"a": {"b": {"c": {}}}}, "too_deep"),
        ("x" * 99, "too_large"),
        ("é" * 50, "too_large"),
    ],
)
def test_json_that_cannot_be_stored_is_refused(value, code):
    with pytest.raises(serializers.ValidationError) as refused:
        PlainJSONField(max_bytes=100, max_depth=3).run_validation(value)

    assert refused.value.get_codes() == [code]


def test_json_at_its_limits_is_taken_and_a_written_escape_is_only_text():
    field = PlainJSONField(max_bytes=100, max_depth=3)

    for value in ("x" * 98, [[[1]]], "\\u0000"):
        assert field.run_validation(value) == value


def test_a_deep_value_is_refused_without_recursing_into_it():
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]

    with pytest.raises(serializers.ValidationError):
        PlainJSONField().run_validation(deep)
    # Taken apart by hand: Python would recurse to free it.
    while deep:
        deep = deep.pop()
