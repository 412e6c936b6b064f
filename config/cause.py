"""What causes the use of this moment: the app, the member or key that asked, the campaign it is for.

The middleware says it for a request, a message carries it to the task that the request promised, and the
ledger writes it beside what is used; so no writer has to remember.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import msgspec

_APPS = "apps"


@dataclass(frozen=True, slots=True)
class Cause:
    """`app` is the package whose view or task is at work; of `member` and `api_key` one at most is known."""

    app: str = ""
    member: UUID | None = None
    api_key: UUID | None = None
    campaign: UUID | None = None


NOBODY = Cause()
_cause: ContextVar[Cause] = ContextVar("plaza_cause", default=NOBODY)


def cause() -> Cause:
    """That of what is done now; NOBODY in a command, and in a task that the clock sends."""
    return _cause.get()


def cause_as_json() -> str | None:
    """The same for a sealed function of the database, or a message; None is NOBODY."""
    found = _cause.get()
    return None if found == NOBODY else msgspec.json.encode(found).decode()


def cause_of(told: str) -> Cause:
    """What `cause_as_json` wrote; NOBODY where nothing, or nothing that can be read, was told."""
    try:
        return msgspec.json.decode(told or "{}", type=Cause)
    except msgspec.MsgspecError:
        return NOBODY


@contextmanager
def caused_by(found: Cause) -> Iterator[None]:
    """What is used inside is caused by `found`; also what `tell_cause` says inside ends with it."""
    token = _cause.set(found)
    try:
        yield
    finally:
        _cause.reset(token)


@contextmanager
def for_campaign(campaign_id: UUID) -> Iterator[None]:
    """What is used inside is for that campaign too."""
    with caused_by(replace(_cause.get(), campaign=campaign_id)):
        yield


def tell_cause(found: Cause) -> None:
    """From here on, in this context: a request learns late who asks."""
    _cause.set(found)


def app_of(name: str) -> str:
    """The app of a module (`apps.crm.views`, `billing.views.seats`) or a task (`crm.import_contacts`)."""
    first, _dot, rest = name.partition(".")
    return rest.partition(".")[0] if first == _APPS else first


def campaign_named(arguments: Mapping[str, Any]) -> UUID | None:
    """The campaign that a task's or a view's arguments name, if they do."""
    named = arguments.get("campaign_id")
    try:
        return UUID(str(named)) if named else None
    except ValueError:
        return None
