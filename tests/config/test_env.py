"""A wrong value of the environment stops the start, and the message names the variable."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env


@pytest.fixture(autouse=True)
def _declarations_are_given_back():
    before = dict(env.DECLARED)
    yield
    env.DECLARED.clear()
    env.DECLARED.update(before)


@pytest.mark.parametrize(
    ("value", "read"),
    [("true", True), ("1", True), ("ON", True), ("False", False), ("no", False), ("", False)],
)
def test_a_flag_reads_its_words(monkeypatch, value, read):
    monkeypatch.setenv("X_FLAG", value)
    assert env.flag("X_FLAG", "test", default=not read) is read


@pytest.mark.parametrize(
    ("value", "ask"),
    [
        ("maybe", lambda: env.flag("X_BAD", "t", default=False)),
        ("ten", lambda: env.number("X_BAD", "t", default=1)),
        ("-1", lambda: env.number("X_BAD", "t", default=1)),
        ("70000", lambda: env.number("X_BAD", "t", default=1, most=65_535)),
        ("blue", lambda: env.choice("X_BAD", "t", options=("red",), default="red")),
        ("--5", lambda: env.number("X_BAD", "t", default=1)),
        ("²", lambda: env.number("X_BAD", "t", default=1)),
        ("postgres://x:y/z", lambda: env.url("X_BAD", "t", schemes=("postgres",))),
        ("postgres://[x/z", lambda: env.url("X_BAD", "t", schemes=("postgres",))),
        ("mysql://x/y", lambda: env.url("X_BAD", "t", schemes=("postgres",))),
        ("short", lambda: env.secret("X_BAD", "t", least=32)),
    ],
)
def test_a_wrong_value_stops_the_start_by_name_and_without_showing_a_secret(
    monkeypatch, value, ask
):
    monkeypatch.setenv("X_BAD", value)
    with pytest.raises(ImproperlyConfigured, match="X_BAD") as refusal:
        ask()
    assert "short" not in str(refusal.value)


def test_a_required_variable_that_is_unset_stops_the_start(monkeypatch):
    monkeypatch.delenv("X_MISSING", raising=False)
    with pytest.raises(ImproperlyConfigured, match="X_MISSING"):
        env.text("X_MISSING", "something")


def test_a_database_address_is_unquoted():
    read = env.database("X", "postgresql://me%40x:p%2Fw@db.example:6543/plaza")
    assert read == {
        "NAME": "plaza", "USER": "me@x", "PASSWORD": "p/w", "HOST": "db.example", "PORT": "6543",
    }  # fmt: skip


def test_a_database_address_without_a_name_is_refused():
    with pytest.raises(ImproperlyConfigured, match="X"):
        env.database("X", "postgresql://me@db.example")
