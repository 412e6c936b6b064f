"""The statements of one schema replayed in others that are equal: several in a transaction, in one message.

Each schema's part begins with a guard, so that a schema that somebody else has migrated meanwhile is
refused instead of being migrated twice.
"""

from dataclasses import dataclass

import psycopg

from config.context import EXTENSIONS_SCHEMA
from tenants.engine.owner import writing
from tenants.fleet import ledger
from tenants.fleet.connections import Connections
from tenants.fleet.ledger import Laggard, Owner
from tenants.fleet.lock import SHARE_SQL
from tenants.fleet.names import Key
from tenants.fleet.patience import Patience, is_about_locks
from tenants.fleet.steps import Todo
from tenants.fleet.warm import noting_sql

# All tables and indexes that a transaction touches stay locked until it ends: not too many at once.
_MOST_STATEMENTS = 200


@dataclass(frozen=True, slots=True)
class Recording:
    """What ran in the first schema of its kind. `fingerprint` and `keys` say which others are equal."""

    keys: tuple[Key, ...]
    fingerprint: str
    statements: tuple[str, ...]

    def schemas_per_commit(self, most: int) -> int:
        return max(1, min(most, _MOST_STATEMENTS // max(1, len(self.statements))))


@dataclass(frozen=True, slots=True)
class Replayed:
    """How one schema went: None is well. `may_go_warm`: Django's operations may still manage it."""

    laggard: Laggard
    error: Exception | None = None

    @property
    def may_go_warm(self) -> bool:
        return self.error is not None and not is_about_locks(self.error)


class Replay:
    """Replays recordings on several connections. Its methods are called from threads."""

    def __init__(self, connections: Connections, *, version: str, patience: Patience) -> None:
        self._connections = connections
        self._version = version
        self._patience = patience

    def batch(self, recording: Recording, members: list[tuple[Laggard, Todo]]) -> list[Replayed]:
        """All in one transaction; when that fails, each in its own."""
        try:
            self._commit(recording, members)
        except psycopg.Error as error:
            if len(members) == 1 and not is_about_locks(error):
                return [Replayed(members[0][0], error)]
            return [self._alone(recording, member) for member in members]
        return [Replayed(laggard) for laggard, _ in members]

    def _alone(self, recording: Recording, member: tuple[Laggard, Todo]) -> Replayed:
        try:
            self._patience.with_retries(lambda: self._commit(recording, [member]))
        except psycopg.Error as error:
            return Replayed(member[0], error)
        return Replayed(member[0])

    def _commit(self, recording: Recording, members: list[tuple[Laggard, Todo]]) -> None:
        statements = [SHARE_SQL, self._patience.sql]
        for laggard, todo in members:
            statements += _part(recording, laggard, todo)
        statements += ledger.settled_sql([laggard for laggard, _ in members], version=self._version)
        ids = [laggard.id for laggard, _ in members]
        with self._connections.taken(len(members)) as owner, writing(owner, *ids):
            _send(owner, statements)


def _part(recording: Recording, laggard: Laggard, todo: Todo) -> list[str]:
    rows = [row for step in todo.steps for row in step.rows]
    named = ", ".join(f"('{app}', '{name}')" for app, name in rows)
    return [
        # Not public: a name that is missing in the schema must be missed.
        f'SET LOCAL search_path TO "{laggard.schema}", {EXTENSIONS_SCHEMA}',
        # Divides by zero where one of them is there.
        f"SELECT 1 / (count(*) = 0)::int FROM django_migrations WHERE (app, name) IN ({named})",  # noqa: S608  names of files of ours
        *recording.statements,
        *noting_sql(laggard.schema, (*rows, *todo.noted)),
    ]


def _send(owner: Owner, statements: list[str]) -> None:
    # A line of its own for each end, since a statement may close with a comment.
    owner.execute("\n;\n".join(statements).encode())
