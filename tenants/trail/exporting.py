"""The trail as a file, written page after page while it is sent."""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from tenants.trail.actions import Action
from tenants.trail.filters import narrowed
from tenants.trail.models import TrailEvent
from tenants.trail.recording import Change, Subject, record
from tenants.trail.serializers import EXPORTED, cells_of, line_of

_AT_ONCE = 1_000
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: its ending, its content type, and who writes it."""

    ending: str
    content_type: str
    written: Callable[[Iterator[Row]], Iterator[str]]


def begin(asked: Mapping[str, str], kind: Kind) -> Iterator[str]:
    """The file's text in parts, of what the filters `asked` leave, the oldest first.

    It is recorded before its first row leaves. Raises AuditTrailAway, ValidationFailed.
    """
    rows = narrowed(asked)
    change = Change(after={name: value[:200] for name, value in asked.items()})
    record(Action.TRAIL_EXPORTED, Subject("audit_trail", "", kind.ending), change)
    return kind.written(_in_pages(rows))


def _in_pages(rows: QuerySet[TrailEvent]) -> Iterator[Row]:
    """Page after page by number, so that no statement lasts as long as the download."""
    last = 0
    while page := list(rows.filter(number__gt=last).values(*EXPORTED)[:_AT_ONCE]):
        yield from page
        last = page[-1]["number"]


class _Line:
    """What csv writes to: the text of the last row."""

    def write(self, text: str) -> str:
        return text


def _as_csv(rows: Iterator[Row]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield str(writer.writerow(EXPORTED))
    for row in rows:
        yield str(writer.writerow(cells_of(row)))


def _as_lines(rows: Iterator[Row]) -> Iterator[str]:
    for row in rows:
        yield f"{line_of(row)}\n"


CSV = Kind("csv", "text/csv", _as_csv)
LINES = Kind("ndjson", "application/x-ndjson", _as_lines)
