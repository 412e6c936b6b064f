"""Where the attacks are tried: through the product, and on django-tenants' plain way."""

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import Error, connection

from config.context import Place
from tenants.engine.owner import owner_connection
from tenants.isolation import lookup_context, square_context, tenant_context
from tenants.models import Tenant
from tests.drills.ground import hang_up

_WHO = "SELECT session_user::text, current_user::text" + "".join(
    f", current_setting('{name}')"
    for name in (
        "role", "search_path", "statement_timeout", "default_transaction_read_only",
        "row_security", "TimeZone", "session_replication_role",
    )
)  # fmt: skip
# Of the function below pg_settings: whatever else is closed, a session may ask for its own.
_SET = "SELECT name, setting FROM pg_show_all_settings() WHERE source = 'session' ORDER BY name"
_AS_TEXT = 4_000_000


@dataclass(slots=True)
class Told:
    """All that one attack was told: rows, notices, notifications and the words of the error.

    `who` is the session behind it; `next_user` what the next one finds who is given a connection.
    """

    text: str = ""
    error: str = ""
    who: tuple[str, ...] = ()
    next_user: tuple[Any, ...] = ()


class ProductWall:
    """The product's own connection at one place; at a stall it is the attacker's.

    `kind` is how our code would send it.
    """

    def __init__(self, attacker: Tenant, place: Place = Place.STALL) -> None:
        self.attacker = attacker
        self.place = place
        self.who: tuple[str, ...] = ()
        self.next_user: tuple[Any, ...] = ()
        declared = self.ask([], "execute")
        self.who, self.next_user = declared.who, declared.next_user

    def ask(self, statements: list[str], kind: str, *, is_whole: bool = False) -> Told:
        """Send them one by one, as one request would; the connection goes back to the pool."""
        told = Told()
        with self._entered():
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
            told.next_user = (*_who(), *_set())
            connection.close()
        is_odd = told.next_user != self.next_user or (told.who != self.who and not is_whole)
        if self.who and is_odd:
            hang_up()  # the next attack is to find a whole wall
        told.text = told.text[:_AS_TEXT]
        return told

    def _entered(self) -> AbstractContextManager[Any]:
        if self.place is Place.STALL:
            return tenant_context(self.attacker)
        return square_context() if self.place is Place.SQUARE else lookup_context()

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


def _set() -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(_SET)
        return tuple(cursor.fetchall())


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
