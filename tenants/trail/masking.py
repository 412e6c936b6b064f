"""What of a change a trail may keep: changed fields alone, no secret, and of personal data no more than a hint."""

import re
from collections.abc import Mapping
from typing import Any

_SECRET = re.compile(r"password|secret|hash|token|proof|credential|otp|recovery|cvc|(^|_)key$")
_PERSONAL = re.compile(
    r"email|phone|(^|_)(first|last|full|family|given)_?name$|birth|street|postal|iban|tax_id"
)
_HIDDEN = "•••"
_LONGEST = 500
Change = tuple[dict[str, Any], dict[str, Any]]


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> Change:
    """(before, after) of the fields that differ, as the trail keeps them."""
    names = sorted(before.keys() | after.keys())
    differing = [name for name in names if before.get(name) != after.get(name)]
    return tuple(
        {name: kept(name, values[name]) for name in differing if name in values}
        for values in (before, after)
    )  # type: ignore[return-value]  # a generator of two


def kept(name: str, value: Any) -> Any:
    """A field's value as the trail keeps it: a secret's place, a personal datum's first letter, else itself."""
    if _SECRET.search(name) or _PERSONAL.search(name):
        return _HIDDEN if _SECRET.search(name) else masked(value)
    if isinstance(value, Mapping):
        return {str(inner): kept(str(inner), each) for inner, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        items = sorted(value, key=str) if isinstance(value, (set, frozenset)) else value
        return [kept(name, each) for each in items]
    return plain(value)


def masked(value: Any) -> Any:
    """`ada@acme.test` -> `a•••@acme.test`; any other text -> its first letter; nothing stays nothing."""
    if not value:
        return value
    first, at, domain = plain(str(value)).partition("@")
    return f"{first[:1]}{_HIDDEN}{at}{domain}"


def plain(value: Any) -> Any:
    """What JSON and PostgreSQL can hold, of bounded length."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    text = str(value).replace("\x00", "").encode(errors="replace").decode()
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
