"""Old rows of a trail go by whole months, proved before, and leave an anchor: the rest stays provable.

The owner's work: nobody else may delete a row. A chain that is broken is not pruned, since what is
left of it is evidence.
"""

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg

from config.logs import logger
from tenants.engine.owner import owner_connection, writing
from tenants.isolation import square_context
from tenants.models import OPERATORS
from tenants.trail.actions import Action
from tenants.trail.chain import table_of
from tenants.trail.proving import Owner, broken_rows, head_of
from tenants.trail.recording import Change, Subject, record, record_for_operators

log = logger(__name__)
_BATCH = 5_000
_ANCHOR = """
UPDATE public.tenants_trailhead SET pruned_number = %s, pruned_digest = %s, pruned_before = %s
 WHERE tenant_id = %s
"""


class TrailBroken(RuntimeError):
    """The rows that should go do not prove each other; `manage.py tenant doctor` tells where."""


@dataclass(frozen=True, slots=True)
class _Pruned:
    rows: int
    number: int


def month_of(moment: datetime) -> datetime:
    """The first moment of its month (UTC)."""
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def prune_all(kept: Iterable[tuple[UUID, int]], *, now: datetime) -> int:
    """Let go of each chain's months that ended more than so many days ago; how many rows those were.

    Harmless twice, and goes on after a kill. A chain that is broken, or whose schema is being erased,
    does not stop the others. Raises NoOwner.
    """
    total = 0
    with closing(owner_connection()) as owner:
        for chain, keep_days in kept:
            try:
                total += prune(owner, chain, before=month_of(now - timedelta(days=keep_days)))
            except (TrailBroken, psycopg.Error):
                log.exception("trail.not_pruned", extra={"chain": str(chain)})
    return total


def prune(owner: Owner, chain: UUID, *, before: datetime) -> int:
    """Let go of the rows that are older than `before`; how many those were. Raises TrailBroken."""
    rows, number = 0, 0
    while gone := _prune_some(owner, chain, before):
        rows, number = rows + gone.rows, gone.number
    if rows:
        _tell(chain, before, rows=rows, number=number)
    return rows


def _prune_some(owner: Owner, chain: UUID, before: datetime) -> _Pruned | None:
    table = table_of(chain)
    with writing(owner, *([] if chain == OPERATORS else [chain])):
        head = head_of(owner, chain, for_update=True)
        if head is None:
            return None
        # Not by the moment of each row: clocks go backwards, and numbers do not.
        query = f"SELECT min(number) FROM {table} WHERE recorded_at >= %s"  # noqa: S608 - ours
        row = owner.execute(query.encode(), [before]).fetchone()
        keep_from = row[0] if row and row[0] is not None else head.number + 1
        upto = min(keep_from - 1, head.pruned_number + _BATCH)
        if upto <= head.pruned_number:
            return None
        if broken_rows(owner, chain, head, upto=upto):
            raise TrailBroken(f"{table} is broken before {upto}.")
        last = owner.execute(
            f"SELECT digest FROM {table} WHERE number = %s".encode(),  # noqa: S608
            [upto],
        ).fetchone()
        gone = owner.execute(f"DELETE FROM {table} WHERE number <= %s".encode(), [upto]).rowcount  # noqa: S608
        if last is None or gone != upto - head.pruned_number:
            raise TrailBroken(f"{table} lacks rows before {upto}.")
        owner.execute(_ANCHOR, [upto, last[0], before, chain])
    return _Pruned(gone, upto)


def _tell(chain: UUID, before: datetime, *, rows: int, number: int) -> None:
    """In the trail itself, besides the anchor."""
    change = Change(after={"before": before.isoformat(), "rows": rows, "number": number})
    with square_context():
        if chain == OPERATORS:
            record_for_operators(Action.TRAIL_PRUNED, Subject("audit_trail"), change)
        else:
            record(Action.TRAIL_PRUNED, Subject("audit_trail"), change, tenant_id=chain)
    log.info("trail.pruned", extra={"chain": str(chain), "rows": rows, "number": number})
