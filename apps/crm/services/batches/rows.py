"""Rows of a batch in and out of PostgreSQL: one statement each for those that are known, new and changed."""

import json
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from apps.crm.services.batches.nouns import Key, Noun, Row, Values

_MOMENTS = {"created_at": "timestamptz", "updated_at": "timestamptz"}


def locked(noun: Noun, items: Sequence[Values], ids: Iterable[UUID]) -> list[Row]:
    """The rows that have an id or any key of the items, under their locks, in order of ids."""
    names = ["id", *noun.columns, *_MOMENTS]
    conditions = ["id = ANY(%s::uuid[])"]
    parameters: list[list[Any]] = [list(ids)]
    for key in noun.keys:
        conditions.append(f"{_compared(key)} = ANY(%s::text[])")
        parameters.append(sorted({value for item in items if (value := key.of(item))}))
    statement = (
        f"SELECT {', '.join(names)} FROM {noun.table} WHERE {' OR '.join(conditions)}"  # noqa: S608 (declared)
        # Two batches of the same rows do not wait for each other in a circle.
        " ORDER BY id FOR UPDATE"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    for row in found:
        for name in _json_columns(noun):
            row[name] = _read(row[name])
    return found


def insert(noun: Noun, rows: Sequence[Row]) -> None:
    """Add new rows. Raises IntegrityError where somebody took a key meanwhile."""
    kinds = {"id": "uuid", **noun.columns, **_MOMENTS}
    # Sorted by their keys, as another batch of the same people sorts them.
    ordered = sorted(rows, key=lambda row: [key.of(row) or "" for key in noun.keys])
    columns = ", ".join(kinds)
    statement = f"INSERT INTO {noun.table} ({columns}) SELECT * FROM {{given}}"  # noqa: S608 (declared)
    _write(statement, kinds, ordered)


def update(noun: Noun, rows: Sequence[Row]) -> None:
    """Write changed rows. Raises IntegrityError where somebody took a key meanwhile."""
    kinds = {"id": "uuid", **noun.columns, "updated_at": "timestamptz"}
    written = ", ".join(f"{name} = given.{name}" for name in kinds if name != "id")
    _write(
        f"UPDATE {noun.table} AS written SET {written}"  # noqa: S608 (declared)
        f" FROM {{given}} AS given({', '.join(kinds)}) WHERE written.id = given.id",
        kinds,
        rows,
    )


def _write(statement: str, kinds: dict[str, str], rows: Sequence[Row]) -> None:
    if not rows:
        return
    given = ", ".join(f"%s::{kind}[]" for kind in kinds.values())
    columns: list[list[Any]] = [
        [json.dumps(row[name]) for row in rows] if kind == "jsonb" else [row[name] for row in rows]
        for name, kind in kinds.items()
    ]
    with connection.cursor() as cursor:
        cursor.execute(statement.format(given=f"unnest({given})"), columns)


def _compared(key: Key) -> str:
    return f"lower({key.column})" if key.lowered else key.column


def _json_columns(noun: Noun) -> list[str]:
    return [name for name, kind in noun.columns.items() if kind == "jsonb"]


def _read(stored: Any) -> Any:
    return json.loads(stored) if isinstance(stored, str) else stored
