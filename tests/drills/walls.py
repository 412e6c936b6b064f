"""Where the attacks are tried: through the product, and on django-tenants' plain way."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import Error, connection

from tenants.engine.owner import owner_connection
from tenants.isolation import tenant_context
from tenants.models import Tenant
from tests.drills.ground import hang_up

_WHO = "SELECT session_user::text, current_user::text" + "".join(
    f", current_setting('{name}')"
    for name in (
        "role", "search_path", "statement_timeout", "default_transaction_read_only",
        "row_security", "TimeZone", "session_replication_role",
    )
)  # fmt: skip
_AS_TEXT = 4_000_000


@dataclass(slots=True)
class Told:
    """All that one attack was told: rows, notices, notifications and the words of the error."""

    text: str = ""
    error: str = ""
    who: tuple[str, ...] = ()


class ProductWall:
    """The attacker's tenant in the product's own connection. `kind` is how our code would send it."""

    def __init__(self, attacker: Tenant) -> None:
        self.attacker = attacker
        self.who: tuple[str, ...] = ()
        self.who = self.ask([], "execute").who

    def ask(self, statements: list[str], kind: str, *, is_whole: bool = False) -> Told:
        """Send them one by one, as one request would; the connection goes back to the pool."""
        told = Told()
        with tenant_context(self.attacker):
            try:
                for statement in statements:
                    told.text += _KINDS[kind](statement)
            except (Error, psycopg.Error) as error:  # COPY raises the driver's own
                told.error = told.text + _words(error)
            raw = connection.connection
            if raw is not None and not raw.closed:
                told.text += "".join(str(note) for note in raw.notifies(timeout=0))
            told.who = _who()
            connection.close()
        if self.who and told.who != self.who and not is_whole:
            hang_up()  # the next attack is to find a whole wall
        told.text = told.text[:_AS_TEXT]
        return told

    def is_well(self) -> bool:
        """Whether the tenant's own next request is served as before."""
        return self.ask([_WHO], "execute").who == self.who


def _who() -> tuple[str, ...]:
    try:
        with connection.cursor() as cursor:
            cursor.execute(_WHO)
            return tuple(cursor.fetchone())
    except Error:  # inside a transaction that has failed nobody can be asked
        return ()


def _execute(statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return _rows(cursor)


def _bound(statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(statement.replace("%", "%%") + "\n-- %s", ["bound"])
        return _rows(cursor)


def _many(statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.executemany(statement.replace("%", "%%"), [(), ()])
        return _rows(cursor)


def _iterated(statement: str) -> str:
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement)
        return str(cursor.fetchmany(100))


def _copied(statement: str) -> str:
    with connection.cursor() as cursor, cursor.copy(f"COPY ({statement}\n) TO STDOUT") as copy:
        return b"".join(bytes(block) for block in copy).decode(errors="replace")


def _rows(cursor: Any) -> str:
    """The rows of every statement's result."""
    found = ""
    while True:
        if cursor.description:
            found += str(cursor.fetchall())
        if not cursor.nextset():
            return found


_KINDS: dict[str, Callable[[str], str]] = {
    "execute": _execute,
    "bound": _bound,
    "many": _many,
    "iterated": _iterated,
    "copied": _copied,
}
KINDS = tuple(_KINDS)


def _words(error: BaseException) -> str:
    """The error with its details, hints and context, and that of the driver below it."""
    words = [type(error).__name__, str(error)]
    below = error if isinstance(error, psycopg.Error) else error.__cause__
    if isinstance(below, psycopg.Error):
        diagnosis = below.diag
        words += [str(getattr(diagnosis, name)) for name in dir(diagnosis) if name[0] != "_"]
    return " ".join(words)


class PlainWay:
    """django-tenants as documented: the owner's sign-in, a search path, statements by the simple protocol.

    Whatever an attack does is rolled back.
    """

    def __init__(self, attacker: Tenant) -> None:
        self.attacker = attacker

    def ask(self, statements: list[str]) -> Told:
        told = Told()
        plain = owner_connection(autocommit=False)
        with closing(plain):  # which rolls back, whatever state it is left in
            plain.cursor_factory = psycopg.ClientCursor
            try:
                plain.execute(
                    f'SET search_path = "{self.attacker.schema_name}", public, ext;'
                    " SET lock_timeout = '200ms'; SET statement_timeout = '2s'"
                )
                for statement in statements:
                    told.text += _rows(plain.execute(statement))
            except psycopg.Error as error:
                told.error = told.text + str(error)
        return told
