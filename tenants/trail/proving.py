"""Whether a chain is whole: each row's digest made again, by SQL of ours and by no function of the database.

No snapshot is needed, so that it holds on a cluster too: rows come only behind the head and go only from
the low end, and where the low end moved meanwhile it is looked at again.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from tenants.trail.chain import digest_sql, table_of

Owner = psycopg.Connection[tuple[Any, ...]]
_TRIES = 5
_SHOWN = 3
_HEAD = """
SELECT number, digest, pruned_number, pruned_digest FROM public.tenants_trailhead WHERE tenant_id = %s
"""
_DIGEST = digest_sql(previous="one.previous", row="one")


@dataclass(frozen=True, slots=True)
class Head:
    """A row of tenants_trailhead."""

    number: int
    digest: str
    pruned_number: int
    pruned_digest: str


def head_of(owner: Owner, chain: UUID, *, for_update: bool = False) -> Head | None:
    query = _HEAD + ("FOR UPDATE" if for_update else "")
    row = owner.execute(query.encode(), [chain]).fetchone()
    return Head(*row) if row else None


def broken(owner: Owner, chain: UUID) -> str:
    """What is wrong with the chain, in words; "" for one that is whole, or has no rows and no head."""
    for _ in range(_TRIES):
        last = _one(owner, f"SELECT max(number) FROM {table_of(chain)}")  # noqa: S608 - names of ours
        head = head_of(owner, chain)
        if head is None:
            return f"it has rows up to {last} and no head" if last else ""
        told = _told(owner, chain, head, last)
        after = head_of(owner, chain)
        if after is not None and after.pruned_number == head.pruned_number:
            return told
    return ""  # it is being pruned, which proves each row that goes


def broken_rows(owner: Owner, chain: UUID, head: Head, *, upto: int) -> list[int]:
    """The numbers of the first few rows, up to `upto`, that do not follow on the one before them."""
    found = owner.execute(
        f"""
        SELECT one.number FROM (
            SELECT event.*, lag(number, 1, %(after)s::bigint) OVER (ORDER BY number) AS former,
                   lag(digest::text, 1, %(digest)s::text) OVER (ORDER BY number) AS previous
              FROM {table_of(chain)} AS event WHERE number <= %(upto)s) AS one
         WHERE one.number <> one.former + 1 OR one.digest <> {_DIGEST}
         ORDER BY one.number LIMIT {_SHOWN}
        """.encode(),  # noqa: S608 - names of ours
        {"after": head.pruned_number, "digest": head.pruned_digest, "upto": upto},
    ).fetchall()
    return [number for (number,) in found]


def _told(owner: Owner, chain: UUID, head: Head, last: int | None) -> str:
    if (last or 0) > head.number:
        return f"it has rows up to {last}, and ends at {head.number}"
    if odd := broken_rows(owner, chain, head, upto=head.number):
        at = ", ".join(map(str, odd))
        return f"a row was changed, taken out, put in or moved: it breaks at number {at}"
    return "" if head.number == head.pruned_number else _told_of_end(owner, chain, head)


def _told_of_end(owner: Owner, chain: UUID, head: Head) -> str:
    end = _one(
        owner,
        f"SELECT digest FROM {table_of(chain)} WHERE number = {head.number}",  # noqa: S608
    )
    if end is None:
        return f"its last rows are missing: it should end at {head.number}"
    return "" if end == head.digest else f"its last row, {head.number}, is not that of its head"


def _one(owner: Owner, query: str) -> Any:
    row = owner.execute(query.encode()).fetchone()
    return row[0] if row else None
