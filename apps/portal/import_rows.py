"""An import as one row of a table: its state in words, and how far it is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from django.utils.functional import Promise

from apps.crm.services import lists
from apps.portal.labels import IMPORT_STATES, IMPORT_STOPS


class Job(Protocol):
    """What is read of crm's import."""

    id: UUID
    file_name: str
    status: str
    stopped_reason: str
    rows_total: int
    rows_done: int
    rows_failed: int
    rows_left_out: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ImportRow:
    """`is_moving` while the page should ask again; `settled` of `longest` rows are through."""

    id: UUID
    file_name: str
    state: Promise
    tone: str
    stopped: Promise | str
    is_moving: bool
    rows_total: int
    rows_done: int
    rows_failed: int
    rows_left_out: int
    created_at: datetime

    @property
    def can_go_on(self) -> bool:
        """Whether what was left out can be imported after all, by a greater plan for example."""
        return not self.is_moving and self.rows_left_out > 0

    @property
    def settled(self) -> int:
        return self.rows_done + self.rows_failed

    @property
    def longest(self) -> int:
        """The bar's length; a bar of length 0 is not valid HTML."""
        return max(self.rows_total, 1)


def row_of(job: Job) -> ImportRow:
    state, tone = IMPORT_STATES[job.status]
    return ImportRow(
        id=job.id,
        file_name=job.file_name,
        state=state,
        tone=tone,
        stopped=IMPORT_STOPS.get(job.stopped_reason, ""),
        is_moving=job.status in {"queued", "running"},
        rows_total=job.rows_total,
        rows_done=job.rows_done,
        rows_failed=job.rows_failed,
        rows_left_out=job.rows_left_out,
        created_at=job.created_at,
    )


def recent_imports(*, most: int) -> list[ImportRow]:
    return [row_of(job) for job in lists.latest_imports(most=most)]
