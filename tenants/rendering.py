"""A schema read from PostgreSQL's catalogs, and written as SQL that names no schema.

What cannot be written is refused, by name, instead of being left out (`CannotRender`).
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from config.context import EXTENSIONS_SCHEMA
from tenants import catalogs

Cursor = psycopg.Cursor[tuple[Any, ...]]
# {"column crm_contact.email": "email character varying(254)", …}: what is compared, and written.
Shape = dict[str, str]
_MOST_ROWS = 10_000
_SCRATCH = "plaza_scratch"


class CannotRender(ValueError):
    """The schema holds something that the template cannot carry; a migration made it."""


def shape_of(cursor: Cursor, schema: str) -> Shape:
    """What the schema is made of, without its rows: {kind and name: definition}; {} when it is missing.

    Raises CannotRender.
    """
    shape: Shape = {}
    with _seen_from(cursor, schema):
        cursor.execute(catalogs.UNKNOWN, {"schema": schema})
        if unknown := [row[0] for row in cursor.fetchall()]:
            raise CannotRender(f"{schema}: {'; '.join(unknown)}")
        for kind, query in catalogs.QUERIES.items():
            cursor.execute(query.encode(), {"schema": schema})
            shape |= {f"{kind} {name}": definition for name, definition in cursor.fetchall()}
    return shape


def tables_of(shape: Shape) -> list[str]:
    return sorted(_of(shape, "table"))


def render(cursor: Cursor, schema: str) -> str:
    """The schema with its rows as SQL. Run with `search_path` at another schema and `ext`, it makes an equal one.

    Constraints and indexes keep their names. Raises CannotRender.
    """
    shape = shape_of(cursor, schema)
    with _seen_from(cursor, schema):
        rows = [statement for table in tables_of(shape) for statement in _rows(cursor, table)]
        cursor.execute(catalogs.SEQUENCE_VALUES, {"schema": schema})
        rows += [row[0] for row in cursor.fetchall()]
    return _written(shape, rows)


def replay(cursor: Cursor, *, schema: str, pattern_sql: str, while_empty: str = "") -> None:
    """Make `schema` by what `render` wrote. The transaction's path is its default one afterwards.

    `while_empty` is SQL to run between the schema and its tables.
    Raises psycopg.errors.DuplicateSchema.
    """
    name = sql.Identifier(schema)
    cursor.execute(sql.SQL("CREATE SCHEMA {}").format(name))
    if while_empty:
        cursor.execute(while_empty.encode())
    cursor.execute(_path(schema))
    # One message of the simple protocol, so it holds many statements.
    cursor.execute(pattern_sql.encode())
    cursor.execute("SET LOCAL search_path TO DEFAULT")


def shape_as_replayed(cursor: Cursor, shape: Shape) -> Shape:
    """The shape that a replay of `shape` has; nothing of it stays.

    PostgreSQL writes some expressions (`IN` of varchar) otherwise once it has read its own text, so two
    schemas of which one was replayed are compared as both were.
    """
    with cursor.connection.transaction(force_rollback=True):
        replay(cursor, schema=_SCRATCH, pattern_sql=_written(shape, ()))
        return shape_of(cursor, _SCRATCH)


def _written(shape: Shape, rows: Iterable[str]) -> str:
    statements = [*_definitions(shape), *rows, *_bindings(shape)]
    return "".join(f"{statement};\n" for statement in statements)


def _definitions(shape: Shape) -> Iterator[str]:
    """Before the rows, so that these are checked by everything but foreign keys and unique indexes."""
    # A function's body may name a table that comes after it.
    yield "SET LOCAL check_function_bodies = off"
    yield from (
        f"CREATE SEQUENCE {name} {options}" for name, options in _of(shape, "sequence").items()
    )
    yield from _of(shape, "function").values()
    for table, storage in _of(shape, "table").items():
        parts = [*_inside(shape, "column", table), *_inside(shape, "constraint", table)]
        kind = "UNLOGGED TABLE" if storage.startswith("unlogged") else "TABLE"
        options = storage.removeprefix("unlogged").strip()
        yield f"CREATE {kind} {table} ({', '.join(parts)}) {options}".rstrip()


def _bindings(shape: Shape) -> Iterator[str]:
    """What ties the tables together, and what is built over them."""
    yield from _of(shape, "index").values()
    yield from _of(shape, "foreign key").values()
    yield from _of(shape, "owner of sequence").values()
    yield from _of(shape, "late function").values()
    yield from _of(shape, "view").values()
    yield from _of(shape, "trigger").values()
    yield from _of(shape, "comment").values()


def _of(shape: Shape, kind: str) -> Shape:
    return {
        key.removeprefix(f"{kind} "): definition
        for key, definition in shape.items()
        if key.startswith(f"{kind} ")
    }


def _inside(shape: Shape, kind: str, table: str) -> list[str]:
    return [d for key, d in _of(shape, kind).items() if key.startswith(f"{table}.")]


def _rows(cursor: Cursor, table: str) -> Iterator[str]:
    """One INSERT with every row of a table, values as text that its column's type reads back."""
    cursor.execute(catalogs.WRITTEN_COLUMNS, {"table": table})
    names = [row[0] for row in cursor.fetchall()]
    values = ", ".join(f"quote_nullable({name}::text)" for name in names)
    asked = f"SELECT concat_ws(', ', {values}) FROM {table} LIMIT {_MOST_ROWS}"  # noqa: S608
    cursor.execute(asked.encode())
    rows = [f"({row[0]})" for row in cursor.fetchall()]
    if len(rows) == _MOST_ROWS:
        raise CannotRender(f"{table} has {_MOST_ROWS} rows: seeds of that size are no template.")
    if rows:
        columns = ", ".join(names)
        yield f"INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE VALUES {', '.join(rows)}"  # noqa: S608


@contextmanager
def _seen_from(cursor: Cursor, schema: str) -> Iterator[None]:
    """Names of the schema and of `ext` come unqualified; the transaction's own path returns afterwards."""
    with cursor.connection.transaction(force_rollback=True):
        cursor.execute(_path(schema))
        yield


def _path(schema: str) -> sql.Composed:
    return sql.SQL("SET LOCAL search_path TO {}, {}").format(
        sql.Identifier(schema), sql.Identifier(EXTENSIONS_SCHEMA)
    )
