"""Bodies of reported usage as values: at the speed of C, and in the words of the serializer where it is wrong."""

from collections.abc import Callable
from typing import Any

import msgspec
from django.http import HttpRequest
from rest_framework.exceptions import ParseError, UnsupportedMediaType

from config.api import BATCH_LIMIT, as_domain_error
from config.errors import DomainError, ValidationFailed
from config.serializers import LineField
from quotas.reporting import UsageReport
from quotas.serializers import UsageEventIn

Reading = Callable[[bytes], Any]


class _Batch(msgspec.Struct):
    items: list[UsageReport]


class _RawBatch(msgspec.Struct):
    items: list[msgspec.Raw]


_one = msgspec.json.Decoder(UsageReport).decode
_all = msgspec.json.Decoder(_Batch).decode
_each = msgspec.json.Decoder(_RawBatch).decode


def one_report(request: HttpRequest) -> UsageReport:
    """The body as one report. Raises ValidationFailed, ParseError."""
    read = _read(_body(request))
    if isinstance(read, DomainError):
        raise read
    return read


def batch_of_reports(request: HttpRequest) -> list[UsageReport | DomainError]:
    """The body's items, each a report or what is wrong with it. Raises ValidationFailed, ParseError."""
    body = _body(request)
    try:
        items: list[Any] = list(_all(body).items)
    except (msgspec.DecodeError, RecursionError):
        items = [_read(bytes(raw)) for raw in _raw_items(body)]
    if not 1 <= len(items) <= BATCH_LIMIT:
        raise _not_a_batch()
    return items


def _body(request: HttpRequest) -> bytes:
    if request.content_type != "application/json":
        raise UnsupportedMediaType(request.content_type or "")
    return request.body


def _raw_items(body: bytes) -> list[msgspec.Raw]:
    try:
        found = _each(body).items
    except msgspec.ValidationError as error:
        raise _not_a_batch() from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise ParseError(str(error)) from error
    if len(found) > BATCH_LIMIT:  # before each is read
        raise _not_a_batch()
    return found


def _not_a_batch() -> ValidationFailed:
    return ValidationFailed(errors={"items": [f"A list of 1 to {BATCH_LIMIT} items."]})


def _read(body: bytes) -> UsageReport | DomainError:
    try:
        return _one(body)
    except msgspec.ValidationError as error:
        return _told(body, str(error))
    except (msgspec.DecodeError, RecursionError) as error:
        raise ParseError(str(error)) from error


def _told(body: bytes, fault: str) -> DomainError:
    """What the serializer says of it: field by field, in the client's language."""
    try:
        reader = UsageEventIn(data=msgspec.json.decode(body))
    except msgspec.ValidationError:  # a number that is too large for any field
        return _of_field(fault)
    if reader.is_valid():
        # What the serializer lets pass and we do not: odd forms of times, of lines, or of properties.
        return _of_field(fault)
    error = as_domain_error(_raised(reader))
    return error or ValidationFailed(errors={"non_field_errors": [fault]})


def _of_field(fault: str) -> ValidationFailed:
    """The decoder's own word: `what is wrong - at `$.field``."""
    told, _, place = fault.partition(" - at `$.")
    if "regex" in told:
        told = str(LineField.default_error_messages["control"])
    return ValidationFailed(errors={place.split("[")[0].strip("`") or "properties": [told]})


def _raised(reader: UsageEventIn) -> Exception:
    try:
        reader.is_valid(raise_exception=True)
    except Exception as error:  # noqa: BLE001 - handed on to the translator of refusals
        return error
    return ValueError("It is valid.")
