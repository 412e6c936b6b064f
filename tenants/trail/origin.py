"""Who acts at this moment, and from where: read off the request in hand, if there is one."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest

from config.context import request_id
from tenants.address import address_of
from tenants.trail.masking import plain

_request: ContextVar[HttpRequest | None] = ContextVar("plaza_asked_by", default=None)


@dataclass(frozen=True, slots=True)
class Actor:
    """`kind` is person, key, operator, nobody (a stranger at the door) or system (a task, a command).

    `id` is the member's, the key's or the operator's; `person_id` is who stands behind a member or a
    key, `operator_id` who impersonates them.
    """

    kind: str
    id: UUID | None = None
    person_id: UUID | None = None
    operator_id: UUID | None = None


SYSTEM, NOBODY = Actor("system"), Actor("nobody")


@dataclass(frozen=True, slots=True)
class Origin:
    """`address` and `user_agent` are empty where no request is in hand."""

    actor: Actor
    address: str
    user_agent: str
    request_id: str


@contextmanager
def asked_by(request: HttpRequest) -> Iterator[None]:
    """What is recorded inside was asked by this request."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


def origin() -> Origin:
    """Of what is done now."""
    request = _request.get()
    if request is None:
        return Origin(SYSTEM, "", "", request_id())
    agent = plain(request.headers.get("User-Agent", ""))[:200]
    return Origin(_actor_of(request), address_of(request), agent, request_id())


def _actor_of(request: HttpRequest) -> Actor:
    if getattr(request, "tenant", None) is None:
        return _on_square(request)
    caller: Any = getattr(request, "caller", None)
    if caller is None or caller.is_anonymous:
        return NOBODY
    _kind, _colon, credential = caller.credential_id.partition(":")
    return Actor(
        kind="person" if caller.is_person else "key",
        id=UUID(credential),
        person_id=caller.person_id,
        operator_id=caller.operator_id,
    )


def _on_square(request: HttpRequest) -> Actor:
    """Whoever is signed in there is an operator; a program or a visitor is not."""
    user: Any = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return NOBODY
    return Actor("operator", user.pk, person_id=user.pk, operator_id=user.pk)
