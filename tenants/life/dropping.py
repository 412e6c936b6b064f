"""A tenant's schema and role go, object by object: few locks at any moment, whatever the schema's size.

`DROP SCHEMA … CASCADE` of 50 tables takes 738 locks at once, and the lock table is everybody's.
"""

from collections.abc import Callable
from typing import LiteralString

from psycopg import sql

from tenants.life.journal import Journal, Owner, Tell
from tenants.roles import drop_role_sql

_FOREIGN_KEYS = """
SELECT c.relname, k.conname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
 WHERE k.connamespace = to_regnamespace(%s) AND k.contype = 'f' AND k.conparentid = 0
 ORDER BY 1, 2
"""
_RELATIONS = """
SELECT c.relname, c.relkind::text FROM pg_class c
 WHERE c.relnamespace = to_regnamespace(%s) AND c.relkind::text = ANY(%s) AND NOT c.relispartition
 ORDER BY 1
"""
# Indexes that stand for themselves; those of constraints go with their table.
_INDEXES = """
SELECT i.relname FROM pg_index x
  JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
 WHERE c.relnamespace = to_regnamespace(%s) AND c.relname = %s
   AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.indexrelid)
 ORDER BY 1
"""
_DROP_VIEW: dict[str, LiteralString] = {
    "v": "DROP VIEW IF EXISTS {}.{} CASCADE",
    "m": "DROP MATERIALIZED VIEW IF EXISTS {}.{} CASCADE",
}


def drop_tables(journal: Journal, schema: str, tell: Tell) -> None:
    """Foreign keys first, then each table in a transaction of its own, with its rows counted in it."""
    owner = journal.owner
    for table, key in owner.execute(_FOREIGN_KEYS, [schema]).fetchall():
        _run(journal, "ALTER TABLE {}.{} DROP CONSTRAINT IF EXISTS {}", schema, table, key)
    for view, kind in _relations(owner, schema, "vm"):
        _run(journal, _DROP_VIEW[kind], schema, view)
    tables = _relations(owner, schema, "rp")
    for number, (table, _) in enumerate(tables, start=1):
        for (index,) in owner.execute(_INDEXES, [schema, table]).fetchall():
            _run(journal, "DROP INDEX IF EXISTS {}.{}", schema, index)
        journal.patiently(_dropping(journal, schema, table))
        tell(f"table {number} of {len(tables)} dropped")
    for sequence, _ in _relations(owner, schema, "S"):
        _run(journal, "DROP SEQUENCE IF EXISTS {}.{}", schema, sequence)


def drop_schema(journal: Journal, schema: str) -> None:
    """What is left of it: the name, and at most a function or a type."""
    owner = journal.owner

    def drop() -> None:
        found = owner.execute("SELECT to_regnamespace(%s) IS NOT NULL", [schema]).fetchone()
        if found and found[0]:
            owner.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))
            journal.count("schema", "schemas", 1)

    journal.patiently(drop)


def drop_role(journal: Journal, schema: str) -> None:
    """The role, after all that it had rights on."""
    owner = journal.owner

    def drop() -> None:
        if owner.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [schema]).fetchone():
            owner.execute(drop_role_sql(schema).encode())
            journal.count("role", "roles", 1)

    journal.patiently(drop)


def _dropping(journal: Journal, schema: str, table: str) -> Callable[[], None]:
    owner = journal.owner

    def drop() -> None:
        name = sql.SQL("{}.{}").format(sql.Identifier(schema), sql.Identifier(table))
        row = owner.execute(sql.SQL("SELECT count(*) FROM {}").format(name)).fetchone()
        owner.execute(sql.SQL("DROP TABLE {}").format(name))
        journal.count("tables", table, row[0] if row else 0)

    return drop


def _relations(owner: Owner, schema: str, kinds: str) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in owner.execute(_RELATIONS, [schema, list(kinds)])]


def _run(journal: Journal, statement: LiteralString, *names: str) -> None:
    command = sql.SQL(statement).format(*map(sql.Identifier, names))
    journal.patiently(lambda: journal.owner.execute(command))
