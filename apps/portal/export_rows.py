"""An export as one row of a table: its state in words, and how far it is."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.functional import Promise

from apps.portal.labels import EXPORT_STATES
from tenants.models import Archive


@dataclass(frozen=True, slots=True)
class ExportRow:
    """`is_moving` while the page should ask again; `done` of `longest` steps are through."""

    id: UUID
    state: Promise
    tone: str
    is_moving: bool
    is_ready: bool
    done: int
    longest: int
    size_bytes: int | None
    created_at: datetime
    expires_at: datetime | None


def row_of(made: Archive) -> ExportRow:
    state, tone = EXPORT_STATES[made.status]
    is_ready = made.status == Archive.Status.COMPLETED
    # A bar of length 0 is not valid HTML, and before the first step the length is not known.
    longest = max(made.steps_total, 1)
    return ExportRow(
        id=made.pk,
        state=state,
        tone=tone,
        is_moving=made.status in {Archive.Status.QUEUED, Archive.Status.RUNNING},
        is_ready=is_ready,
        done=longest if is_ready else made.steps_done,
        longest=longest,
        size_bytes=made.size_bytes,
        created_at=made.created_at,
        expires_at=made.expires_at,
    )
