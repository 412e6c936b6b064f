"""What input serializers share: unknown fields are refused, and text, numbers and money are what they say."""

import json
import unicodedata
from collections.abc import Iterator, Mapping
from copy import deepcopy
from itertools import islice
from typing import Any, ClassVar, TypeVar

from django.db.models import Model
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from config.money import CURRENCIES, LARGEST_MINOR
from config.personal import Personal, declared_personal, is_personal_hidden, mask_answer
from config.readers import read, read_anew

_SHOWN_UNKNOWN_FIELDS = 20
_SHOWN_NAME_CHARACTERS = 100


Row = TypeVar("Row", bound=Model)
_made: dict[type[serializers.Serializer[Any]], dict[str, Any]] = {}


class PersonalAnswer(serializers.Serializer[Any]):
    # Answers personal data as the caller may see it: `personal` says which fields are, by default those of
    # the model that are so. (No docstring, here and below: the API's description would show it.)
    personal: ClassVar[Mapping[str, Personal] | None] = None

    def to_representation(self, instance: Any) -> Any:
        answer = super().to_representation(instance)
        if not is_personal_hidden():
            return answer
        declared = self.personal
        if declared is None:
            declared = declared_personal(getattr(getattr(self, "Meta", None), "model", None))
        return mask_answer(answer, declared)


class RowSerializer(PersonalAnswer, serializers.ModelSerializer[Row]):
    # How a row is answered. DRF makes the fields of the model anew for each answer; here each class
    # does once.

    def get_fields(self) -> dict[str, Any]:
        if type(self) not in _made:
            _made[type(self)] = super().get_fields()
        return {name: _twin(known) for name, known in _made[type(self)].items()}


def _twin(known: serializers.Field[Any, Any, Any, Any]) -> Any:
    """A field for one answer: it will know its serializer, which its model must not."""
    if isinstance(known, serializers.BaseSerializer | serializers.ListField):
        return deepcopy(known)  # fields inside of it know it too
    twin = object.__new__(type(known))
    twin.__dict__.update(known.__dict__)
    return twin


class StrictSerializer(serializers.Serializer[Any]):
    """Input whose unknown fields are refused by name: a misspelt field must not be lost in silence."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return super().to_internal_value(data)
        strangers = self._strangers(data)
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as refused:
            known: Any = refused.detail
            raise serializers.ValidationError({**strangers, **known}) from refused
        if strangers:
            raise serializers.ValidationError(strangers)
        return values

    def _strangers(self, data: Mapping[Any, Any]) -> dict[str, list[Any]]:
        writable = {name for name, field in self.fields.items() if not field.read_only}
        unknown = (str(name) for name in data if name not in writable)
        return {
            name[:_SHOWN_NAME_CHARACTERS]: [_("Unknown field.")]
            for name in islice(unknown, _SHOWN_UNKNOWN_FIELDS)
        }


class TextField(serializers.CharField):
    """Text as a JSON string. A number or a boolean in its place is a mistake, not a text."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class LineField(TextField):
    """One line for people to read: no control characters, and something visible unless blank is allowed."""

    default_error_messages = {
        "control": _("Control characters and line breaks are not allowed."),
        "invisible": _("Nothing of this text can be seen."),
    }

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        kinds = {unicodedata.category(character) for character in text}
        if kinds & {"Cc", "Zl", "Zp"}:
            self.fail("control")
        if text and not any(kind[0] not in "CZ" for kind in kinds):
            self.fail("invisible")
        return text


class WholeNumberField(serializers.IntegerField):
    """A JSON integer: neither `"1"` nor `1.0` nor `true`."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return int(data)


class CurrencyField(TextField):
    """An ISO 4217 code in capitals."""

    default_error_messages = {"unknown": _("An ISO 4217 code in capitals, like USD.")}

    def to_internal_value(self, data: Any) -> str:
        code = super().to_internal_value(data)
        if code not in CURRENCIES:
            self.fail("unknown")
        return code


class Money(StrictSerializer):
    """`{amount, currency}`: whole minor units of 0 or more. Both are asked for in a PATCH too."""

    amount = WholeNumberField(min_value=0, max_value=LARGEST_MINOR)
    currency = CurrencyField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        lacking = {
            name: [field.error_messages["required"]]
            for name, field in self.fields.items()
            if field.source not in attrs
        }
        if lacking:
            raise serializers.ValidationError(lacking)
        return attrs


class PositiveMoney(Money):
    """Money of at least one minor unit."""

    amount = WholeNumberField(min_value=1, max_value=LARGEST_MINOR)


class PlainJSONField(serializers.JSONField):
    """JSON that PostgreSQL stores as it is: no NUL, no lone surrogate, bounded in size and depth."""

    default_error_messages = {
        "unstorable": _("The text holds characters that cannot be stored."),
        "too_large": _("More than {limit} bytes of JSON."),
        "too_deep": _("Nested deeper than {limit} levels."),
    }

    def __init__(self, *, max_bytes: int = 16_384, max_depth: int = 8, **options: Any) -> None:
        self.max_bytes, self.max_depth = max_bytes, max_depth
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> Any:
        # Depth first: json.dumps would meet Python's recursion limit on a deep value.
        if _is_deeper(data, self.max_depth):
            self.fail("too_deep", limit=self.max_depth)
        try:
            written = json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
        except UnicodeEncodeError:
            self.fail("unstorable")
        except (TypeError, ValueError):
            self.fail("invalid")
        if any("\0" in text for text in _texts(data)):
            self.fail("unstorable")
        if len(written) > self.max_bytes:
            self.fail("too_large", limit=self.max_bytes)
        return data


class BatchResult(serializers.Serializer[Any]):
    """One item's fate: `id` when it was done (with the `item` itself, when it was asked for), `error` (a problem) when it was refused."""

    index = serializers.IntegerField()
    status = serializers.IntegerField()
    id = serializers.CharField(required=False)
    item = serializers.DictField(required=False)
    error = serializers.DictField(required=False)


class BatchOut(serializers.Serializer[Any]):
    """What `config.api.run_batch` answers."""

    results = BatchResult(many=True)


def batch_of(item: type[StrictSerializer]) -> Any:
    """`{"items": […]}` of `item`, for the API's description."""
    return inline_serializer(f"{item.__name__}Batch", {"items": item(many=True)})


def _is_deeper(value: Any, levels: int) -> bool:
    if isinstance(value, Mapping):
        inner: Any = value.values()
    elif isinstance(value, list):
        inner = value
    else:
        return False
    return levels == 0 or any(_is_deeper(item, levels - 1) for item in inner)


def _texts(value: Any) -> Iterator[str]:
    """Every text inside, names of objects included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield str(name)
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def parse_changes(serializer: type[StrictSerializer], data: Any, **context: Any) -> dict[str, Any]:
    """Read a PATCH: only the fields that it names. Raises ValidationFailed, as `config.api.parse` does."""
    if context:
        return read_anew(serializer, data, partial=True, context=context)
    return read(serializer, data, partial=True)
