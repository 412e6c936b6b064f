"""Personal data: which columns are, said once by each model; and hidden from who may not see them.

A model declares `personal = {"email": Personal.EMAIL, …}`. While it is hidden (the caller lacks
`pii:read`, or an operator impersonates a member), serializers and rows answer e-mails and phones masked,
and lists refuse to be narrowed by them, which would tell what is masked.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _

from config.errors import DomainError

_HIDDEN = "•••"
# Found in any text, so both ask for more than an address has to have; the bounds keep them linear.
_EMAIL = re.compile(r"[\w.%+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}(?![0-9])")
_is_hidden: ContextVar[bool] = ContextVar("plaza_personal_hidden", default=False)


class Personal(StrEnum):
    """What a personal column holds. E-mails and phones are masked; all are erased and exported with somebody."""

    EMAIL = "email"
    PHONE = "phone"
    NAME = "name"
    OTHER = "other"


class PersonalDataHidden(DomainError):
    """Who asks may not see personal data, and so not look for it by its value either."""

    code = "personal_data_hidden"
    status = 403
    title = _("You may not see personal data, nor search by it.")


@contextmanager
def personal_context() -> Iterator[None]:
    """For one request: what is hidden in it ends with it."""
    token = _is_hidden.set(False)
    try:
        yield
    finally:
        _is_hidden.reset(token)


def hide_personal(*, is_hidden: bool) -> None:
    """From here on, in this context."""
    _is_hidden.set(is_hidden)


def is_personal_hidden() -> bool:
    return _is_hidden.get()


def refuse_hidden() -> None:
    """Raise PersonalDataHidden where personal data is hidden: for what is looked up by an e-mail or a phone."""
    if _is_hidden.get():
        raise PersonalDataHidden()


def declared_personal(model: type[Any] | None) -> Mapping[str, Personal]:
    """{field's name: kind} as the model says; empty for one that holds nothing personal."""
    found: Mapping[str, Personal] = getattr(model, "personal", {})
    return found


def shown(kind: Personal, value: Any) -> Any:
    """`value` as the present caller may see it."""
    return masked(kind, value) if _is_hidden.get() else value


def masked(kind: Personal, value: Any) -> Any:
    """`ada@acme.test` -> `a•••@acme.test`, `+5215512345678` -> `•••78`; names and nothing stay as they are."""
    if not value:
        return value
    if kind is Personal.EMAIL:
        first, at, domain = str(value).partition("@")
        return f"{first[:1]}{_HIDDEN}{at}{domain}"
    if kind is Personal.PHONE:
        return f"{_HIDDEN}{str(value)[-2:]}"
    return without_personal(value) if kind is Personal.OTHER else value


def without_personal(value: Any) -> Any:
    """Mask the e-mails and phones inside of texts, lists and objects; the rest stays as it is."""
    if isinstance(value, str):
        return text_without_personal(value)
    if isinstance(value, dict):
        return {name: without_personal(each) for name, each in value.items()}
    return [*map(without_personal, value)] if isinstance(value, list) else value


def text_without_personal(text: str) -> str:
    """`to ada@acme.test at +5215512345678` -> `to a•••@acme.test at •••78`."""
    if "@" in text:
        text = _EMAIL.sub(lambda found: masked(Personal.EMAIL, found[0]), text)
    if "+" in text:
        text = _PHONE.sub(lambda found: masked(Personal.PHONE, found[0]), text)
    return text


def mask_answer(answer: dict[str, Any], declared: Mapping[str, Personal]) -> dict[str, Any]:
    """Mask the values of an answer in place, by the names under which they stand."""
    for name, kind in declared.items():
        if name in answer:
            answer[name] = masked(kind, answer[name])
    return answer
