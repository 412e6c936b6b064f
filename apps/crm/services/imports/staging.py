"""Reading a file into the tenant's own waiting rows: by COPY, checked row by row, bounded in memory."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from apps.crm.models import Import, ImportRowError
from apps.crm.services.imports.columns import Plan
from apps.crm.services.imports.rows import Options, RowReader, RowRefused
from apps.crm.services.imports.tables import Table
from config.context import require_tenant
from config.needs import Meter
from quotas import ledger

# Refused rows that are kept to be shown; more are counted.
ERRORS_KEPT = 10_000
_RAW_CHARACTERS = 2_000
_COPY = """
COPY crm_importrow (job_id, row_number, external_id, email, contact, "order", occurrence, raw)
FROM STDIN
"""
# Equal purchases in one file are distinct ones: the second is occurrence 2.
_NUMBER_EQUAL_ORDERS = """
UPDATE crm_importrow AS waiting SET occurrence = equal.occurrence
  FROM (
    SELECT row_number AS number,
           row_number() OVER (
             PARTITION BY coalesce(external_id, email), "order" ORDER BY row_number
           ) AS occurrence
      FROM crm_importrow
     WHERE job_id = %(job)s AND "order" IS NOT NULL AND "order" -> 'external_id' = 'null'
  ) AS equal
 WHERE waiting.job_id = %(job)s AND waiting.row_number = equal.number AND equal.occurrence > 1
"""
# A person is known in the file by external id, or by an e-mail that may stand beside one elsewhere.
_COUNT_NEW_CONTACTS = """
SELECT count(*) FROM (
  SELECT 1
    FROM (
      SELECT external_id, email,
             coalesce('x' || external_id, 'x' || min(external_id) OVER (PARTITION BY email),
                      'e' || email) AS person
        FROM crm_importrow
       WHERE job_id = %(job)s AND row_number > %(after)s
    ) AS waiting
    LEFT JOIN crm_contact AS by_id ON by_id.external_id = waiting.external_id
    LEFT JOIN crm_contact AS by_email ON by_email.email = waiting.email
   GROUP BY person
  HAVING bool_and(by_id.id IS NULL AND by_email.id IS NULL)
) AS unknown
"""


@dataclass(slots=True)
class Staged:
    """What the reading found. `errors` holds the first ERRORS_KEPT of `rows_failed`."""

    rows_total: int = 0
    rows_failed: int = 0
    errors: list[ImportRowError] = field(default_factory=list)


def stage(*, job: Import, table: Table, plan: Plan, options: Options) -> Staged:
    """Copy the checked rows of `table` into ImportRow and its refused ones into ImportRowError."""
    found = Staged()
    with connection.cursor() as cursor:
        # The time is the client's, who sends the file; not that of a statement that takes too long.
        cursor.execute("SET LOCAL statement_timeout = 0")
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for row in _checked_rows(
            job, table, RowReader(plan, options), found, skips=plan.has_header
        ):
            copy.write_row(row)
    ImportRowError.objects.bulk_create(found.errors)
    with _set_wise() as cursor:
        cursor.execute(_NUMBER_EQUAL_ORDERS, {"job": job.pk})
    return found


@contextmanager
def _set_wise() -> Iterator[CursorWrapper]:
    """A cursor whose joins are no nested loops; for the transaction under way.

    Statistics know nothing of rows that this transaction brought: the planner takes them for one,
    and would read all of them, or all contacts, again for each (PostgreSQL 15: minutes).
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off")
        yield cursor
        cursor.execute("SET LOCAL enable_nestloop = on")


def _checked_rows(
    job: Import, table: Table, reader: RowReader, found: Staged, *, skips: bool
) -> Iterator[tuple[Any, ...]]:
    rows = table.rows()
    if skips:
        next(rows)
    for number, cells in rows:
        found.rows_total += 1
        try:
            row = reader.read(cells)
        except RowRefused as refusal:
            found.rows_failed += 1
            if len(found.errors) < ERRORS_KEPT:
                found.errors.append(row_error(job.pk, number, refusal.reasons, cells))
            continue
        order = None if row.order is None else json.dumps(row.order)
        yield (
            job.pk, number, row.external_id, row.email, json.dumps(row.contact), order, 1,
            json.dumps(_storable(cells)),
        )  # fmt: skip


def _storable(cells: list[str]) -> list[str]:
    """NUL is the one character that PostgreSQL's text cannot hold; an ignored column may have it."""
    return [cell.replace("\0", "\N{REPLACEMENT CHARACTER}") for cell in cells]


def row_error(job_id: UUID, number: int, reasons: list[str], cells: list[str]) -> ImportRowError:
    """A refused row, its cells cut to what a person needs to find and mend it."""
    shown = [cell[:_RAW_CHARACTERS] for cell in _storable(cells)]
    return ImportRowError(job_id=job_id, row_number=number, reasons=reasons, raw=shown)


def new_contacts(*, job: Import) -> int:
    """How many contacts the rows still waiting would add; rows that will be refused count too."""
    with _set_wise() as cursor:
        cursor.execute(_COUNT_NEW_CONTACTS, {"job": job.pk, "after": job.last_row})
        return int(cursor.fetchone()[0])


def refuse_beyond_quota(*, job: Import, now: datetime) -> None:
    """Raise QuotaExceeded unless the plan has room for every contact that the waiting rows would add."""
    with transaction.atomic():
        ledger.consume(
            tenant_id=require_tenant().id,
            meter=Meter.CONTACTS,
            quantity=new_contacts(job=job),
            key=f"import:{job.pk}:asked",
            now=now,
        )
        # It was a question: each batch takes its own units.
        transaction.set_rollback(True)


def forget(*, jobs: Iterable[Import]) -> None:
    """Drop the waiting rows of imports that need them no more."""
    # Django's delete() would first read them all.
    with connection.cursor() as cursor:
        ids = [job.pk for job in jobs]
        cursor.execute("DELETE FROM crm_importrow WHERE job_id = ANY(%s)", [ids])
