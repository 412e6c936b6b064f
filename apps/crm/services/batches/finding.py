"""Rows that a batch names, found and archived: one statement each."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from apps.crm.services.batches.nouns import Noun

Named = tuple[str, Any]


def ids_by(noun: Noun, items: Iterable[Mapping[str, Any]]) -> dict[Named, UUID]:
    """{(column, value as given): id} of the rows that exist; each item is `{column: value}`."""
    wanted: dict[str, list[str]] = {}
    named = {pair for item in items for pair in item.items()}
    for column, value in named:
        wanted.setdefault(column, []).append(str(value))
    asked, parameters = [], []
    for column, values in sorted(wanted.items()):
        key = noun.key(column)
        compared = f"lower({column})" if key and key.lowered else column
        kind = "uuid" if key is None else "text"
        asked.append(
            f"SELECT '{column}', {compared}::text, id FROM {noun.table}"  # noqa: S608 (declared)
            f" WHERE {compared} = ANY(%s::{kind}[])"
        )
        parameters.append(values)
    if not asked:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(asked), parameters)
        known = {(column, value): pk for column, value, pk in cursor.fetchall()}
    return {
        (column, value): known[column, str(value)]
        for column, value in named
        if (column, str(value)) in known
    }


def archive(noun: Noun, ids: Collection[UUID], *, now: datetime) -> set[UUID]:
    """Take these out of lists; the ids of those that exist."""
    if not ids:
        return set()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {noun.table} SET archived_at = %s, updated_at = %s"  # noqa: S608 (declared)
            " WHERE id = ANY(%s::uuid[]) RETURNING id",
            [now, now, sorted(ids)],
        )
        done = {row[0] for row in cursor.fetchall()}
        noun.note(done)
    return done
