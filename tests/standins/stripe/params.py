"""Stripe's form-encoded parameters, `items[0][price]=…`, read with their types."""

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from tests.standins.stripe.errors import StripeError, invalid, missing, unknown

_KEY_PART = re.compile(r"\[([^\]]*)\]")
_EVERYWHERE = ("expand",)


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """`a[b][0]=x` -> {"a": {"b": ["x"]}}. A later value of one key replaces the earlier."""
    tree: dict[str, Any] = {}
    for key, value in pairs:
        head = key.split("[", 1)[0]
        path = [head, *_KEY_PART.findall(key[len(head) :])]
        branch = tree
        for part in path[:-1]:
            inner = branch.setdefault(part, {})
            if not isinstance(inner, dict):
                raise invalid(f"Invalid object: {key}", param=key)
            branch = inner
        last = path[-1] or str(len(branch))  # `expand[]=…` counts by itself
        branch[last] = value
    return {key: _with_lists(value) for key, value in tree.items()}


def _with_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(key.isdigit() for key in value):
        return [_with_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _with_lists(inner) for key, inner in value.items()}


class Params:
    """The parameters of one request, or of one object inside it. `prefix` names it in errors."""

    def __init__(self, values: dict[str, Any], prefix: str = "") -> None:
        self.values = values
        self._prefix = prefix

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)

    def named(self, name: str) -> str:
        return f"{self._prefix}[{name}]" if self._prefix else name

    def only(self, *names: str) -> None:
        """Refuse what is not among `names`: a parameter ignored in silence would be a lie."""
        for name in self.values:
            if name not in names and name not in _EVERYWHERE:
                raise unknown(self.named(name))

    def is_cleared(self, name: str) -> bool:
        """An empty string takes a value away."""
        return self.values.get(name) == ""

    def text(self, name: str) -> str | None:
        value = self.values.get(name)
        if value is not None and not isinstance(value, str):
            raise invalid(f"Invalid string: {value}", param=self.named(name))
        return value or None

    def required(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise missing(self.named(name))
        return value

    def one_of(self, name: str, allowed: Iterable[str], default: str) -> str:
        value = self.text(name) or default
        if value not in allowed:
            raise invalid(
                f"Invalid {self.named(name)}: must be one of {', '.join(allowed)}",
                param=self.named(name),
            )
        return value

    def integer(self, name: str) -> int | None:
        value = self.text(name)
        try:
            return None if value is None else int(value)
        except ValueError:
            raise self._not_an_integer(name, value) from None

    def _not_an_integer(self, name: str, value: str | None) -> StripeError:
        return invalid(
            f"Invalid integer: {value}", param=self.named(name), code="parameter_invalid_integer"
        )

    def decimal(self, name: str) -> Decimal | None:
        value = self.text(name)
        try:
            return None if value is None else Decimal(value)
        except InvalidOperation:
            raise invalid(f"Invalid decimal: {value}", param=self.named(name)) from None

    def flag(self, name: str) -> bool | None:
        value = self.text(name)
        if value not in (None, "true", "false"):
            raise invalid(f"Invalid boolean: {value}", param=self.named(name))
        return None if value is None else value == "true"

    def inner(self, name: str) -> "Params":
        """The object under `name`; empty when it is not given."""
        value = self.values.get(name) or {}
        if not isinstance(value, dict):
            raise invalid("Invalid object", param=self.named(name))
        return Params(value, self.named(name))

    def each(self, name: str) -> list["Params"]:
        """The objects in the array under `name`."""
        return [
            Params(value, f"{self.named(name)}[{index}]")
            for index, value in enumerate(self._array(name))
            if isinstance(value, dict)
        ]

    def texts(self, name: str) -> list[str]:
        return [value for value in self._array(name) if isinstance(value, str)]

    def _array(self, name: str) -> list[Any]:
        value = self.values.get(name) or []
        if not isinstance(value, list):
            raise invalid("Invalid array", param=self.named(name))
        return value

    def into_metadata(self, kept: dict[str, str] | None, name: str = "metadata") -> dict[str, str]:
        """Metadata after this request: keys are added, an empty value takes one away."""
        if self.is_cleared(name):
            return {}
        added = {key: str(value) for key, value in self.inner(name).values.items()}
        return {key: value for key, value in ((kept or {}) | added).items() if value != ""}
