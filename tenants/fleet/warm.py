"""Migrations run by Django's own operations, schema after schema, in a process that has the models' states already.

It takes what cannot be replayed as SQL: data migrations, migrations that are no transaction, schemas
whose names differ. And it takes the first schema of each kind, whose statements it hands back.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently, NotInTransactionMixin
from django.db import connection as django_connection
from django.db import transaction
from django.db.migrations import RunPython, RunSQL, SeparateDatabaseAndState

from tenants.fleet import ledger
from tenants.fleet.editor import recording_editor
from tenants.fleet.ledger import Laggard, Owner
from tenants.fleet.lock import BEGIN_SHARING_SQL, END_SHARING_SQL
from tenants.fleet.names import Key
from tenants.fleet.patience import Patience
from tenants.fleet.steps import Forwards, Step, Steps, Todo
from tenants.isolation import owner_context
from tenants.roles import quoted
from tenants.versions import touch

connection: Any = django_connection
# In a migration that is no transaction its author decided so for these; each of the others can be one.
_OUTSIDE = (NotInTransactionMixin, RunPython, RunSQL, SeparateDatabaseAndState)
# What a commit between two migrations would do: Django alters no table with pending checks.
BETWEEN_STEPS = ("SET CONSTRAINTS ALL IMMEDIATE", "SET CONSTRAINTS ALL DEFERRED")


class WarmExecutor:
    """Brings one schema after the other to `version`. Knows nothing of other schemas."""

    def __init__(self, steps: Steps, *, owner: Owner, version: str, patience: Patience) -> None:
        self._steps = steps
        self._owner = owner
        self._version = version
        self._patience = patience

    def run(self, laggard: Laggard, todo: Todo) -> list[str]:
        """Do `todo` in the laggard's schema and note it; gives back the statements that ran.

        Each migration commits together with its row, so that a killed run goes on behind it. Raises
        what the database raises, and what the migration itself does.
        """
        ran: list[str] = []
        with _at(laggard.schema):
            for step in self._steps.with_states(todo):
                if step.is_transaction:
                    ran += self._patience.with_retries(partial(self._whole, laggard, step))
                    ran += BETWEEN_STEPS
                else:
                    self._piece_by_piece(laggard, step)
            with transaction.atomic():
                _execute(noting_sql(laggard.schema, todo.noted))
                _execute(ledger.settled_sql([laggard], version=self._version))
        return ran

    def _whole(self, laggard: Laggard, step: Step) -> list[str]:
        app = step.migration.app_label
        with transaction.atomic():
            _execute([self._patience.sql])
            with recording_editor(connection, atomic=True) as editor:
                for operation, before, after in step.forwards:
                    operation.database_forwards(app, editor, before, after)
            # Behind the editor: what it deferred has run now.
            _execute(noting_sql(laggard.schema, step.rows))
        return list(editor.recorded)

    def _piece_by_piece(self, laggard: Laggard, step: Step) -> None:
        """A migration that is no transaction: each operation is noted when it is done, and the web waits."""
        done = laggard.operations_done(step.name)
        ledger.begin_half_way(self._owner, laggard, step=step.name, done=done)
        with transaction.atomic():
            touch(laggard.id)  # by plain SQL nobody would hear of it
        for number, forwards in enumerate(step.forwards):
            if number < done:
                continue
            noted = ledger.half_way_sql(laggard, step=step.name, done=number + 1)
            if isinstance(forwards[0], _OUTSIDE) and not forwards[0].atomic:
                _outside(laggard.schema, step, forwards)
                _execute([noted])
            else:
                self._patience.with_retries(partial(self._inside, step, forwards, noted))
        with transaction.atomic():
            _execute(noting_sql(laggard.schema, step.rows))
            _execute([ledger.whole_again_sql(laggard)])

    def _inside(self, step: Step, forwards: Forwards, noted: str) -> None:
        operation, before, after = forwards
        with transaction.atomic():
            _execute([self._patience.sql])
            with connection.schema_editor(atomic=True) as editor:
                operation.database_forwards(step.migration.app_label, editor, before, after)
            _execute([noted])


def noting_sql(schema: str, rows: Iterable[Key]) -> list[str]:
    """Statements that note migrations in a schema. Names come from files of ours."""
    values = ", ".join(f"('{app}', '{name}', now())" for app, name in rows)
    if not values:
        return []
    return [f"INSERT INTO {quoted(schema)}.django_migrations (app, name, applied) VALUES {values}"]  # noqa: S608


@contextmanager
def _at(schema: str) -> Iterator[None]:
    with owner_context():
        connection.set_schema(schema)
        _execute([BEGIN_SHARING_SQL])
        try:
            yield
        finally:
            if connection.is_usable():  # the pool would keep the lock with the connection
                _execute([END_SHARING_SQL])
            # Given back; the pool opens another for the next schema, so no backend has seen them all.
            connection.close()
            connection.set_schema_to_public()


def _outside(schema: str, step: Step, forwards: Forwards) -> None:
    operation, before, after = forwards
    if isinstance(operation, AddIndexConcurrently) and _is_built(schema, operation.index.name):
        return
    with connection.schema_editor(atomic=False) as editor:
        operation.database_forwards(step.migration.app_label, editor, before, after)


def _is_built(schema: str, index: str) -> bool:
    """Whether a killed run got that far; what it left half-built is dropped."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indisvalid FROM pg_index JOIN pg_class ON oid = indexrelid"
            " WHERE relname = %s AND relnamespace = %s::regnamespace",
            [index, schema],
        )
        found = cursor.fetchone()
        if found == (False,):
            name = connection.ops.quote_name(index)
            cursor.execute(f'DROP INDEX CONCURRENTLY "{schema}".{name}')
    return bool(found == (True,))


def _execute(statements: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
