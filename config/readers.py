"""Input serializers that are used again: DRF makes every field anew for each body, which takes longer than to read it."""

from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.serializers import BaseSerializer

_idle: dict[tuple[type[BaseSerializer[Any]], bool], list[BaseSerializer[Any]]] = {}


def read(
    serializer: type[BaseSerializer[Any]], data: Any, *, partial: bool = False
) -> dict[str, Any]:
    """`data` as checked values. Raises DRF's ValidationError.

    A reader has one user at a time, and keeps nothing of what it has read. A refusal is worded by a
    new one: DRF fixes the language of some messages when they are first told.
    """
    idle = _idle.setdefault((serializer, partial), [])
    try:
        reader = idle.pop()
    except IndexError:
        reader = serializer(data=None, partial=partial)
    try:
        values = reader.run_validation(data)
    except ValidationError:
        return read_anew(serializer, data, partial=partial)
    idle.append(reader)
    return dict(values)


def read_anew(serializer: type[BaseSerializer[Any]], data: Any, **options: Any) -> dict[str, Any]:
    """The same by a serializer of its own, which `options` are given to."""
    reader = serializer(data=data, **options)
    reader.is_valid(raise_exception=True)
    return dict(reader.validated_data)
