"""Which rows of public belong to a tenant: read from the catalog, so that a new table is never forgotten.

A row is a tenant's when it carries its `tenant_id`, or leads by foreign keys to one that does. A model
that says `outlives_tenant = True` keeps its rows (invoices, the journal, certificates) for
INVOICE_RETENTION_YEARS.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models.options import Options
from psycopg import sql

from tenants.life.journal import Owner

PEOPLE = "tenants_person"
TENANTS = "tenants_tenant"
_COLUMNS = """
SELECT c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND a.attname = 'tenant_id' AND a.atttypid = 'uuid'::regtype AND NOT a.attisdropped
 ORDER BY 1
"""
_PARTS = """
SELECT whole.relname, part.relname FROM pg_class AS whole
 CROSS JOIN LATERAL pg_partition_tree(whole.oid) AS tree JOIN pg_class AS part ON part.oid = tree.relid
 WHERE whole.relnamespace = 'public'::regnamespace AND whole.relkind = 'p' AND tree.isleaf ORDER BY 1, 2
"""
_KEYS = """
SELECT c.relname, a.attname, p.relname, b.attname FROM pg_constraint k
  JOIN pg_class c ON c.oid = k.conrelid
  JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
  JOIN pg_class p ON p.oid = k.confrelid
  JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = k.confkey[1]
 WHERE k.contype = 'f' AND cardinality(k.conkey) = 1
   AND c.relnamespace = 'public'::regnamespace AND p.relnamespace = 'public'::regnamespace
 ORDER BY 1, 2
"""
# Rows of the ground that name their tenant inside another value.
_TRACES = {
    "config_keptanswer": "scope LIKE %(tenant)s::text || ':%%'",
    "config_outboxmessage": (
        "headers->>'plaza_tenant' = %(tenant)s::text OR arguments->>'tenant_id' = %(tenant)s::text"
    ),
}


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """`table.column` refers to `parent.parent_column`; `is_let_go`: Django sets it null instead."""

    table: str
    column: str
    parent: str
    parent_column: str
    is_let_go: bool


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one table under a condition. `let_go` names a column to be set null, else they go.

    `part` is that of a partitioned table in which they lie: to touch the whole locks every part.
    """

    table: str
    condition: sql.Composable
    let_go: str = ""
    part: str = ""

    @property
    def place(self) -> sql.Identifier:
        """Where statements find them."""
        return sql.Identifier("public", self.part or self.table)


def kept_tables() -> frozenset[str]:
    """Tables of public that an erasure leaves alone."""
    return frozenset(
        _options(model).db_table
        for model in apps.get_models()
        if getattr(model, "outlives_tenant", False)
    )


def _options(model: type[models.Model]) -> "Options[models.Model]":
    return model._meta  # noqa: SLF001 - Django's documented way to a model's table and fields


def tables_with_tenant(owner: Owner) -> list[str]:
    """Every table of public with a `tenant_id`, kept ones included."""
    return [name for (name,) in owner.execute(_COLUMNS).fetchall()]


def foreign_keys(owner: Owner) -> list[ForeignKey]:
    """Every key inside public."""
    let_go = {
        (_options(model).db_table, field.column)
        for model in apps.get_models()
        for field in _options(model).local_concrete_fields
        if isinstance(field, models.ForeignKey)
        and field.remote_field.on_delete in {models.SET_NULL, models.SET_DEFAULT}
    }
    return [
        ForeignKey(table, column, parent, parent_column, (table, column) in let_go)
        for table, column, parent, parent_column in owner.execute(_KEYS).fetchall()
    ]


def rows_of_tenant(owner: Owner) -> list[Rows]:
    """The tenant's rows (`%(tenant)s`, a UUID) in an order in which they may go; its own row is not among them."""
    keys, kept = foreign_keys(owner), kept_tables()
    parts: dict[str, list[str]] = defaultdict(list)
    for whole, part in owner.execute(_PARTS).fetchall():
        parts[whole].append(part)
    found: list[Rows] = []
    for table in tables_with_tenant(owner):
        if table not in kept:
            its_own = sql.SQL("tenant_id = %(tenant)s")
            found += _leading_to(Rows(table, its_own), keys, frozenset(kept))
            found += [Rows(table, its_own, part=part) for part in parts[table] or [""]]
    found += _leading_to(Rows(TENANTS, sql.SQL("id = %(tenant)s")), keys, frozenset(kept))
    present = {name for (name,) in owner.execute("SELECT tablename FROM pg_tables").fetchall()}
    found += [Rows(name, sql.SQL(how)) for name, how in _TRACES.items() if name in present]
    return found


def rows_of_people(owner: Owner) -> list[Rows]:
    """What leads to people (`%(people)s`, a list of ids), in an order in which it may go."""
    people = Rows(PEOPLE, sql.SQL("id = ANY(%(people)s)"))
    return list(_leading_to(people, foreign_keys(owner), kept_tables()))


def _leading_to(parent: Rows, keys: list[ForeignKey], passed: frozenset[str]) -> Iterator[Rows]:
    """The rows with a foreign key to `parent`'s, and those that lead to them, children first."""
    for key in keys:
        if key.parent != parent.table or key.table in passed:
            continue
        condition = sql.SQL("{} IN (SELECT {} FROM public.{} WHERE {})").format(
            sql.Identifier(key.column),
            sql.Identifier(key.parent_column),
            sql.Identifier(parent.table),
            parent.condition,
        )
        if key.is_let_go:
            yield Rows(key.table, condition, let_go=key.column)
            continue
        child = Rows(key.table, condition)
        yield from _leading_to(child, keys, passed | {parent.table})
        yield child


def exists(owner: Owner, rows: Rows, facts: dict[str, Any]) -> bool:
    """Whether there is any of them."""
    command = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE {})")
    row = owner.execute(command.format(rows.place, rows.condition), facts).fetchone()
    return bool(row and row[0])


def remove(owner: Owner, rows: Rows, facts: dict[str, Any], *, most: int) -> int:
    """Delete (or let go) at most so many of them; how many that were."""
    batch = sql.SQL(
        "ctid = ANY(ARRAY(SELECT ctid FROM {} WHERE {} LIMIT %(most)s FOR UPDATE))"
    ).format(rows.place, rows.condition)
    if rows.let_go:
        verb = sql.SQL("UPDATE {} SET {} = NULL WHERE {} AND ({})")
        command = verb.format(rows.place, sql.Identifier(rows.let_go), batch, rows.condition)
    else:
        # The condition again: in a partitioned table another part's row may have the same ctid.
        verb = sql.SQL("DELETE FROM {} WHERE {} AND ({})")
        command = verb.format(rows.place, batch, rows.condition)
    return owner.execute(command, {**facts, "most": most}).rowcount
