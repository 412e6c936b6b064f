"""Whether an object has Stripe's official shape: the example's keys, the SDK's types.

Two official sources are held together: `spec/stripe/fixtures3.json` says which keys an object of a
kind has, the classes of stripe-python say which types they may take and which may be null. What a
stand-in answers must fit both. Imported by tests only, since the SDK takes long to load.
"""

import importlib
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any, ForwardRef, Literal, get_args, get_origin

from stripe import ListObject, StripeObject
from stripe._object_classes import OBJECT_CLASSES

from tests.standins.stripe.objects import examples

# Keys beside the SDK's own classes that an answer may have: the flag of a deleted object.
_EVERYWHERE = {"object", "deleted"}
# The SDK's class of an event says nothing of what the event is about.
_UNTYPED = {"event": {"data"}}
_SCALARS: dict[Any, tuple[type, ...]] = {
    int: (int,),
    float: (int, float),
    str: (str,),
    bool: (bool,),
    Decimal: (str,),
}


def check(body: dict[str, Any]) -> list[str]:
    """What is wrong with an answer or an event, one line each; empty when it is right."""
    return list(_object(body, body.get("object", "?")))


@cache
def _class_of(kind: str) -> Any:
    module, name = OBJECT_CLASSES[kind]
    return getattr(importlib.import_module(module), name)


@cache
def _fields(cls: Any) -> dict[str, Any]:
    return {
        name: hint
        for name, hint in cls.__annotations__.items()
        if not name.startswith("_") and name != "OBJECT_NAME"
    }


def _object(body: dict[str, Any], where: str) -> Iterator[str]:
    kind = body.get("object")
    if kind == "list":
        yield from _list(body, where)
    elif body.get("deleted"):
        if set(body) != {"id", "object", "deleted"}:
            yield f"{where}: a deleted object has id, object and deleted only"
    elif kind not in OBJECT_CLASSES:
        yield f"{where}: no object of kind {kind!r} exists"
    else:
        yield from _keys_of_example(body, str(kind), where)
        yield from _typed_fields(body, _class_of(str(kind)), where)
        if kind == "event":
            yield from _object(body["data"]["object"], f"{where}.data.object")


def _list(body: dict[str, Any], where: str) -> Iterator[str]:
    if set(body) != {"object", "data", "has_more", "url"}:
        yield f"{where}: a list has object, data, has_more and url, not {sorted(body)}"
    for index, inner in enumerate(body["data"]):
        yield from _object(inner, f"{where}[{index}]")


def _keys_of_example(body: dict[str, Any], kind: str, where: str) -> Iterator[str]:
    example = examples().get(kind)
    if example is None:
        yield f"{where}: there is no official example of {kind}"
        return
    typed = _fields(_class_of(kind))
    # A key of the example that the SDK does not know any more is gone from this API version.
    for key in example:
        if key in typed and key not in body:
            yield f"{where}.{key}: missing, though the official example has it"


def _typed_fields(body: dict[str, Any], cls: Any, where: str) -> Iterator[str]:
    hints = _fields(cls)
    skipped = _UNTYPED.get(str(body.get("object")), set())
    for key, value in body.items():
        if key in _EVERYWHERE or key in skipped:
            continue
        if key not in hints:
            yield f"{where}.{key}: {cls.__name__} has no such attribute"
        else:
            yield from _value(value, hints[key], f"{where}.{key}")
    for key, hint in hints.items():
        if key not in body and type(None) not in get_args(hint):
            yield f"{where}.{key}: missing, though {cls.__name__} always has it"


def _value(value: Any, hint: Any, where: str) -> Iterator[str]:
    options = get_args(hint) if _is_union(hint) else (hint,)
    words = {word for option in options for word in _words(option)}
    fitting = [option for option in options if _fits(value, option)]
    if value is None:
        wrong = type(None) not in options
    elif words and isinstance(value, str):
        wrong = value not in words
    else:
        wrong = not fitting
    if wrong:
        yield f"{where}: {value!r} is not {sorted(map(str, words)) or hint}"
    elif value is not None and fitting:
        yield from _inside(value, fitting[0], where)


def _words(option: Any) -> tuple[Any, ...]:
    """The words of an enumeration; the SDK writes it as Union[Literal[...], str]."""
    return get_args(option) if get_origin(option) is Literal else ()


def _is_union(hint: Any) -> bool:
    return str(get_origin(hint)) in ("typing.Union", "<class 'types.UnionType'>")


def _fits(value: Any, option: Any) -> bool:
    """Whether the value is of the option's outer type."""
    if option in _SCALARS:
        return isinstance(value, _SCALARS[option]) and (
            option is bool or not isinstance(value, bool)
        )
    if get_origin(option) is list:
        return isinstance(value, list)
    if get_origin(option) is Literal:
        return value in get_args(option)
    return isinstance(value, dict)


def _inside(value: Any, option: Any, where: str) -> Iterator[str]:
    if get_origin(option) is list:
        (inner,) = get_args(option)
        for index, each in enumerate(value):
            yield from _value(each, inner, f"{where}[{index}]")
    elif isinstance(option, ForwardRef) or get_origin(option) is ListObject:
        yield from _object(value, where)
    elif isinstance(option, type) and issubclass(option, StripeObject) and _fields_or_none(option):
        yield from _typed_fields(value, option, where)


def _fields_or_none(cls: Any) -> bool:
    """A class with attributes of its own; an untyped mapping (metadata) has none."""
    return "__annotations__" in vars(cls)
