"""The ledger in public: which schema is at which version. Plain SQL of the owner, so that nothing-to-do is one query."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from tenants.roles import drop_role_sql

Owner = psycopg.Connection[tuple[Any, ...]]
_LONGEST_REASON = 2_000
_TENANTS, _READY = "public.tenants_tenant", "public.tenants_readyschema"


@dataclass(frozen=True, slots=True)
class Laggard:
    """A schema whose version is not the code's. `slug` is empty for a ready schema, which is nobody's yet.

    state: steady, migrating (a migration that is no transaction was cut off) or set_aside.
    half_way: that migration and how many of its operations are done ("crm.0003_email:2"), or empty.
    """

    id: UUID
    schema: str
    slug: str
    version: str
    state: str
    is_demo: bool
    half_way: str

    @property
    def name(self) -> str:
        return self.slug or f"ready schema {self.schema}"

    @property
    def is_ready_schema(self) -> bool:
        return not self.slug

    def operations_done(self, step: str) -> int:
        """Of the migration `step` ("crm.0003_email"), by a run that was cut off."""
        name, _, done = self.half_way.rpartition(":")
        return int(done) if name == step else 0


# What stands half-way first (the web refuses it), what failed before last; otherwise by age.
_LAGGARDS = """
SELECT id, schema_name, slug, schema_version, migration_state, is_demo, half_way,
       CASE migration_state WHEN 'migrating' THEN 0 WHEN 'set_aside' THEN 2 ELSE 1 END AS turn,
       created_at AS since
FROM public.tenants_tenant
WHERE schema_version <> %(version)s AND status NOT IN ('provisioning', 'closed')
UNION ALL
SELECT id, 't_' || replace(id::text, '-', ''), '', version, 'steady', false, '', 3, made_at
FROM public.tenants_readyschema
WHERE version <> %(version)s AND claimed_at IS NULL
ORDER BY turn, since
"""


def laggards(owner: Owner, *, version: str) -> list[Laggard]:
    """Every schema to be brought to `version`, in the order in which it is its turn. One query."""
    rows = owner.execute(_LAGGARDS, {"version": version})
    return [Laggard(*row[:7]) for row in rows]


def settled_sql(laggards: list[Laggard], *, version: str) -> list[str]:
    """Statements that note `version`, to be run in the transaction that brought the schemas there."""
    tenants = _ids(each for each in laggards if not each.is_ready_schema)
    ready = _ids(each for each in laggards if each.is_ready_schema)
    noted = f"schema_version = '{version}', migration_state = 'steady', migration_error = '', half_way = ''"
    return [
        *([_update(_TENANTS, noted, tenants)] if tenants else []),
        *([_update(_READY, f"version = '{version}'", ready)] if ready else []),
    ]


def settle(owner: Owner, laggards: list[Laggard], *, version: str) -> None:
    for statement in settled_sql(laggards, version=version):
        owner.execute(statement.encode())


# What failed before its first operation was done is whole; behind that the web goes on refusing it.
_SET_ASIDE = """
UPDATE public.tenants_tenant
SET migration_error = %s, migration_state =
    CASE WHEN half_way = '' OR half_way LIKE '%%:0' THEN 'set_aside' ELSE 'migrating' END
WHERE id = %s AND status <> 'closed' RETURNING id
"""


def set_aside(owner: Owner, laggard: Laggard, *, reason: str) -> bool:
    """Note why it failed; the next run tries it again. False where the tenant went away meanwhile."""
    row = owner.execute(_SET_ASIDE, [reason[:_LONGEST_REASON], laggard.id]).fetchone()
    return row is not None


def discard(owner: Owner, laggard: Laggard) -> bool:
    """A ready schema that failed is nobody's: the pool makes another. False where it is claimed."""
    with owner.transaction():
        row = owner.execute(
            "DELETE FROM public.tenants_readyschema WHERE id = %s AND claimed_at IS NULL RETURNING id",
            [laggard.id],
        ).fetchone()
        if row is not None:
            owner.execute(f'DROP SCHEMA IF EXISTS "{laggard.schema}" CASCADE'.encode())
            owner.execute(drop_role_sql(laggard.schema).encode())
    return row is not None


def begin_half_way(owner: Owner, laggard: Laggard, *, step: str, done: int) -> None:
    """Before a migration that is no transaction: from now on the web refuses the tenant."""
    owner.execute(half_way_sql(laggard, step=step, done=done).encode())


def half_way_sql(laggard: Laggard, *, step: str, done: int) -> str:
    """The statement that notes how far it got, for the transaction of that operation."""
    noted = f"migration_state = 'migrating', half_way = '{step}:{done}'"
    return _update(_TENANTS, noted, _ids([laggard]))


def whole_again_sql(laggard: Laggard) -> str:
    noted = "migration_state = 'steady', half_way = ''"
    return _update(_TENANTS, noted, _ids([laggard]))


def _update(table: str, noted: str, ids: str) -> str:
    return f"UPDATE {table} SET {noted} WHERE id IN ({ids})"  # noqa: S608  versions, names of files and ids: all ours


def _ids(laggards: Iterable[Laggard]) -> str:
    # In order, so that two transactions cannot wait for each other's rows.
    return ", ".join(f"'{each}'" for each in sorted(each.id for each in laggards))
