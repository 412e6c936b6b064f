"""Conditions on a contact's own fields, as SQL over `contact`. A date that is relative tells which days it turns on."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from config.errors import ValidationFailed

_TEXTS = ("email", "first_name", "last_name", "phone", "external_id")
_IDS = ("owner_id", "company_id")
_MOMENTS = ("created_at", "updated_at")
_SIGNS = {"eq": "=", "gte": ">=", "gt": ">", "lte": "<=", "lt": "<"}
# So many values may be listed.
_MOST_VALUES = 500
_MOST_DAYS = 36_500
_CUSTOM = "fields."
# Compared as texts are in every database, which is how ISO 8601 orders days.
_TEXT = '(contact.fields ->> %s) COLLATE "C"'
_DAY_LIKE = "(contact.fields ->> %s) ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}'"
# CASE, since PostgreSQL may ask the parts of an AND in any order.
_NUMBER = (
    "CASE WHEN jsonb_typeof(contact.fields -> %s) = 'number'"
    " THEN (contact.fields ->> %s)::numeric END"
)


@dataclass(frozen=True, slots=True)
class Sql:
    """A condition and its parameters.

    `turning` holds for contacts of whom the answer has turned by the mere passing of days since `since`.
    """

    text: str
    parameters: list[Any] = field(default_factory=list)
    turning: Callable[[date, date], tuple[str, list[Any]]] | None = None


def refused(message: str) -> ValidationFailed:
    return ValidationFailed(errors={"rule": [message]})


def condition(name: str, op: str, value: Any, today: date) -> Sql:
    """One leaf `{field, op, value}`. Raises ValidationFailed."""
    if name.startswith(_CUSTOM) and len(name) > len(_CUSTOM):
        return _custom(name.removeprefix(_CUSTOM), op, value, today)
    kinds: dict[tuple[str, ...], Callable[[str, str, Any, date], Sql]] = {
        _TEXTS: _text, _IDS: _id, _MOMENTS: _moment,
    }  # fmt: skip
    for names, made in kinds.items():
        if name in names:
            return made(f"contact.{name}", op, value, today)
    raise refused(_("There is no field %s.") % name[:100])


def days_ago(value: Any, today: date) -> date:
    """The day `value` days before today. Raises ValidationFailed unless it is a number of days."""
    if type(value) is not int or not 0 <= value <= _MOST_DAYS:
        raise refused(_("A whole number of days."))
    return today - timedelta(days=value)


def _text(column: str, op: str, value: Any, today: date) -> Sql:
    if op == "is_set":
        return Sql(f"(coalesce({column}, '') <> '') = %s", [_flag(value)])
    if op in {"in", "eq", "ne"}:
        texts = [text.lower() for text in (_texts(value) if op == "in" else [_plain(value)])]
        found = Sql(f"lower({column}) = ANY(%s::text[])", [texts])
        return negated(found) if op == "ne" else found
    return Sql(f"lower({column}) LIKE %s", [_pattern(op, value)])


def _id(column: str, op: str, value: Any, today: date) -> Sql:
    if op == "is_set":
        return Sql(f"({column} IS NOT NULL) = %s", [_flag(value)])
    if op not in {"in", "eq", "ne"}:
        raise _no_such(op)
    try:
        ids = [UUID(text) for text in (_texts(value) if op == "in" else [_plain(value)])]
    except ValueError as error:
        raise refused(_("An id.")) from error
    found = Sql(f"{column} = ANY(%s::uuid[])", [ids])
    return negated(found) if op == "ne" else found


def _moment(column: str, op: str, value: Any, today: date) -> Sql:
    if op in {"within_days", "before_days"}:
        return relative(column, op, value, today, "timestamptz")
    if op not in _SIGNS or op == "eq":
        raise _no_such(op)
    try:
        moment = parse_datetime(_plain(value))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise refused(_("A moment like 2026-01-31T12:00:00Z."))
    return Sql(f"{column} {_SIGNS[op]} %s::timestamptz", [moment])


def relative(column: str, op: str, value: Any, today: date, kind: str) -> Sql:
    """Within the last days (UTC, today included), or before them."""
    bound = _bound(days_ago(value, today), kind)
    sign = ">=" if op == "within_days" else "<"

    def turning(since: date, until: date) -> tuple[str, list[Any]]:
        earlier, later = (_bound(days_ago(value, day), kind) for day in (since, until))
        return (
            f"{column} >= %s::{kind} AND {column} < %s::{kind}",
            [min(earlier, later), max(earlier, later)],
        )

    return Sql(f"{column} {sign} %s::{kind}", [bound], turning)


def _bound(day: date, kind: str) -> str:
    return f"{day.isoformat()}T00:00:00Z" if kind == "timestamptz" else day.isoformat()


def _custom(name: str, op: str, value: Any, today: date) -> Sql:
    if op == "is_set":
        return Sql("jsonb_exists(contact.fields, %s) = %s", [name, _flag(value)])
    if op in {"within_days", "before_days"}:
        return _custom_day(name, op, value, today)
    return _custom_value(name, op, value)


def _custom_value(name: str, op: str, value: Any) -> Sql:
    if op in {"in", "eq", "ne"}:
        values = value if op == "in" else [value]
        if not isinstance(values, list) or len(values) > _MOST_VALUES:
            raise refused(_("A list of values."))
        written = [json.dumps(each) for each in values]
        found = Sql("(contact.fields -> %s) = ANY(%s::jsonb[])", [name, written])
        return negated(found) if op == "ne" else found
    if op in _SIGNS and type(value) in {int, float}:
        return Sql(f"{_NUMBER} {_SIGNS[op]} %s::numeric", [name, name, str(value)])
    if op in _SIGNS:
        return Sql(f"{_TEXT} {_SIGNS[op]} %s", [name, _plain(value)])
    return Sql("lower(contact.fields ->> %s) LIKE %s", [name, _pattern(op, value)])


def _custom_day(name: str, op: str, value: Any, today: date) -> Sql:
    """Of a custom field that holds a date or a moment as ISO 8601 writes it."""
    sign = ">=" if op == "within_days" else "<"

    def turning(since: date, until: date) -> tuple[str, list[Any]]:
        bounds = [days_ago(value, at).isoformat() for at in (since, until)]
        return f"{_TEXT} >= %s AND {_TEXT} < %s", [name, min(bounds), name, max(bounds)]

    bound = days_ago(value, today).isoformat()
    return Sql(f"{_DAY_LIKE} AND {_TEXT} {sign} %s", [name, name, bound], turning)


def negated(found: Sql) -> Sql:
    """What is not known is not so, and so its opposite is: two values, not SQL's three."""
    return Sql(f"({found.text}) IS NOT TRUE", found.parameters, found.turning)


def _pattern(op: str, value: Any) -> str:
    text = _plain(value).lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    patterns = {"contains": f"%{text}%", "starts_with": f"{text}%"}
    if op not in patterns:
        raise _no_such(op)
    return patterns[op]


def _no_such(op: str) -> ValidationFailed:
    return refused(_("This field cannot be compared by %s.") % str(op)[:100])


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise refused(_("True or false."))
    return value


def _plain(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 500 or "\0" in value:
        raise refused(_("A text."))
    return value


def _texts(value: Any) -> Sequence[str]:
    if not isinstance(value, list) or not 1 <= len(value) <= _MOST_VALUES:
        raise refused(_("A list of values."))
    return [_plain(text) for text in value]
