"""Tables to CSV and back by COPY. Names come from the catalog alone, never from an archive."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from psycopg import Connection, sql

Owner = Connection[tuple[Any, ...]]
# Bookkeeping of migrations: the new schema has its own.
NOT_DATA = frozenset({"django_migrations"})
# So that the same rows give the same bytes on every server.
_STEADY = """
SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL timezone = 'UTC'; SET LOCAL intervalstyle = 'iso_8601';
SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex';
SET LOCAL lc_monetary = 'C'; SET LOCAL statement_timeout = 0
"""
_TABLES = """
SELECT c.relname FROM pg_class c
 WHERE c.relnamespace = to_regnamespace(%s) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
 ORDER BY c.relname COLLATE "C"
"""
_COLUMNS = """
SELECT a.attname, format_type(a.atttypid, NULL), a.attidentity::text,
       coalesce(a.attnum = ANY(k.conkey), false), t.typcategory = 'S',
       EXISTS (SELECT FROM pg_constraint f WHERE f.contype = 'f'
                  AND f.conrelid = a.attrelid AND a.attnum = ANY(f.conkey))
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_constraint k ON k.conrelid = a.attrelid AND k.contype = 'p'
 WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
   AND a.attgenerated = ''
 ORDER BY a.attnum
"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column that holds data of its own (generated ones do not)."""

    name: str
    type: str
    identity: str
    is_key: bool
    is_text: bool
    is_foreign_key: bool


@dataclass(frozen=True, slots=True)
class Table:
    """One table as the catalog has it."""

    schema: str
    name: str
    columns: tuple[Column, ...]

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


@dataclass(frozen=True, slots=True)
class Copied:
    """What went through a COPY: rows, bytes, and their SHA-256."""

    rows: int
    size: int
    sha256: str


class Sink(Protocol):
    """Where bytes go."""

    def write(self, data: bytes, /) -> object: ...


def steady(owner: Owner) -> None:
    """In this transaction, write every value in one way, whatever the server's settings."""
    owner.execute(_STEADY)


def tables_of(owner: Owner, schema: str) -> list[Table]:
    """The tables of a schema that hold data, by name."""
    names = [row[0] for row in owner.execute(_TABLES, [schema]).fetchall()]
    return [table_of(owner, schema, name) for name in names if name not in NOT_DATA]


def table_of(owner: Owner, schema: str, name: str) -> Table:
    found = owner.execute(_COLUMNS, [sql.Identifier(schema, name).as_string(owner)]).fetchall()
    return Table(schema, name, tuple(Column(*row) for row in found))


def columns_in_order(names: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(name) for name in names)


def order_of(table: Table) -> sql.Composable:
    """By the key, in an order that no locale changes; by the whole row where there is no key."""
    key = [column for column in table.columns if column.is_key]
    if not key:
        return sql.SQL('({}::text) COLLATE "C"').format(sql.Identifier(table.name))
    return sql.SQL(", ").join(
        sql.SQL('{} COLLATE "C"' if column.is_text else "{}").format(sql.Identifier(column.name))
        for column in key
    )


def copy_out(owner: Owner, query: sql.Composable, sink: Sink | None = None) -> Copied:
    """The rows of `query` as CSV with a header into `sink` (or only counted and hashed)."""
    digest, size = hashlib.sha256(), 0
    command = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv, HEADER true)").format(query)
    with owner.cursor() as cursor:
        with cursor.copy(command) as copy:
            for piece in copy:
                data = bytes(piece)
                digest.update(data)
                size += len(data)
                if sink is not None:
                    sink.write(data)
        return Copied(cursor.rowcount, size, digest.hexdigest())


def all_rows(table: Table, names: Iterable[str]) -> sql.Composed:
    """Every row of a table, its columns in the order of `names`, in the order of its key."""
    return sql.SQL("SELECT {} FROM {} ORDER BY {}").format(
        columns_in_order(names), table.identifier, order_of(table)
    )


def copy_in(
    owner: Owner, target: sql.Composable, names: Iterable[str], chunks: Iterable[bytes]
) -> int:
    """Load CSV with a header, which must name these columns in this order; how many rows came.

    Raises psycopg.DataError and psycopg.IntegrityError for what the table does not take.
    """
    command = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv, HEADER match)").format(
        target, columns_in_order(names)
    )
    with owner.cursor() as cursor:
        with cursor.copy(command) as copy:
            for data in chunks:
                copy.write(data)
        return cursor.rowcount
