"""Properties of reported usage: whether what is stored is what was sent."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any


def are_same(stored: Mapping[str, Any], sent: Mapping[str, Any]) -> bool:
    """Whether both hold the same values; PostgreSQL writes 1e300 with 301 digits, and 1 is no `true`."""
    return stored.keys() == sent.keys() and all(
        _plain(stored[name]) == _plain(value) for name, value in sent.items()
    )


def _plain(value: Any) -> tuple[bool, Any]:
    """Whether it is a truth value, and the value; a float as the decimal number that JSON shows."""
    return isinstance(value, bool), Decimal(repr(value)) if isinstance(value, float) else value
