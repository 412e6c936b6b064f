"""The product's engine on one connection, so that a test's rollback takes back what every place did.

Roles, paths, row security and one-statement cursors are the real ones; only the pool is not used.
It still refuses to cross places inside a transaction that the code under test opened.
"""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.base import Cursor
from django.db.backends.postgresql.base import DatabaseWrapper as PostgresWrapper
from django.db.backends.postgresql.creation import DatabaseCreation
from psycopg import sql
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, TransactionStatus

from config.context import PUBLIC_SCHEMA, Place, at_place
from tenants.engine.base import DatabaseWrapper as PlazaWrapper
from tenants.engine.bindings import Binding, owner_binding, parameters
from tenants.engine.cursors import OneStatementCursor
from tenants.engine.operations import DatabaseOperations
from tenants.engine.refusals import CrossedInTransaction
from tests.engine.written import MIGRATED, WRITTEN

DjangosWrapper: Any = PostgresWrapper


class OwnersCreation(DatabaseCreation):
    """Test databases are made and migrated by the owner."""

    def create_test_db(self, *args: Any, **options: Any) -> str:
        with at_place(Place.OWNER):
            return str(super().create_test_db(*args, **options))

    def destroy_test_db(self, *args: Any, **options: Any) -> None:
        with at_place(Place.OWNER):
            super().destroy_test_db(*args, **options)


class OwnersFlush(DatabaseOperations):
    """Between tests that commit, Django truncates the square's tables: that is the owner's right.

    Only those that were written to, since each costs new files of its own and of its indexes; what
    migrations wrote for good stays.
    """

    def sql_flush(self, style: Any, tables: Any, **options: Any) -> list[str]:
        with at_place(Place.OWNER), self.connection.cursor() as cursor:
            cursor.execute(WRITTEN, [["public"], list(MIGRATED)])
            written = [name for name, whole in cursor.fetchall() if whole in tables]
        # Who refers to a truncated table must go with it, even where it is empty.
        options["allow_cascade"] = True
        return list(super().sql_flush(style, written, **options))

    def execute_sql_flush(self, sql_list: Any) -> None:
        with at_place(Place.OWNER):
            super().execute_sql_flush(sql_list)


class Blocks(list[Any]):
    """The open `atomic` blocks: a new one belongs to the place in force when it begins."""

    def __init__(self, wrapper: "DatabaseWrapper") -> None:
        self._wrapper = wrapper

    def append(self, block: Any) -> None:
        if not block._from_testcase:
            self._wrapper.ensure_connection()
            self._wrapper.stand()
        super().append(block)


class DatabaseWrapper(PlazaWrapper):
    """Signs in once, as the owner, and takes each place's role where it stands."""

    ops_class = OwnersFlush
    creation_class = OwnersCreation

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._standing: Binding | None = None
        super().__init__(*args, **kwargs)

    @property
    def atomic_blocks(self) -> Blocks:
        return self._blocks

    @atomic_blocks.setter
    def atomic_blocks(self, blocks: list[Any]) -> None:
        self._blocks = Blocks(self)

    def ensure_connection(self) -> None:
        BaseDatabaseWrapper.ensure_connection(self)

    def connect(self) -> None:
        BaseDatabaseWrapper.connect(self)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        self._standing = None
        given = parameters(owner_binding(PUBLIC_SCHEMA), conn_params) | {"prepare_threshold": 0}
        return PostgresWrapper.get_new_connection(self, given)

    def _cursor(self, name: str | None = None) -> Any:
        self.ensure_connection()
        self.stand()
        return super()._cursor(name)

    def stand(self) -> None:
        wanted = self.wanted_binding()
        raw = self.connection.pgconn
        # In an aborted transaction only ROLLBACK runs, which needs no place.
        if wanted == self._standing or raw.transaction_status == TransactionStatus.INERROR:
            return
        has_begun = any(not block._from_testcase for block in self.atomic_blocks)
        if self._standing is not None and has_begun:
            raise CrossedInTransaction("A transaction cannot go on at another place.")
        sent = b"RESET ROLE; " + wanted.sql()
        if wanted.role is None and not wanted.is_owner:  # it would have a sign-in of its own
            sent += b"; SET ROLE " + sql.Identifier(wanted.user).as_bytes(None)
        answer = raw.exec_(sent)
        if answer.status not in {ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK}:
            raise error_from_result(answer)
        self._standing = wanted
        self.connection.cursor_factory = Cursor if wanted.is_owner else OneStatementCursor

    def savepoint_rollback(self, sid: str) -> None:
        super().savepoint_rollback(sid)
        self._standing = None  # PostgreSQL has taken back what was SET since

    def rollback(self) -> None:
        super().rollback()
        self._standing = None

    def _close(self) -> None:
        DjangosWrapper._close(self)

    def close_if_unusable_or_obsolete(self) -> None:
        BaseDatabaseWrapper.close_if_unusable_or_obsolete(self)
