"""Everything about a contact in one order, newest first: one statement a page, of which each part takes a page at most."""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, models

# kind: where from, when, and what is told of it. `{mine}` is the row's contact.
_PARTS: dict[str, tuple[str, str, str]] = {
    "contact.created": ("crm_contact AS x WHERE x.id = %s", "x.created_at", "'{}'::jsonb"),
    "order.placed": (
        "crm_order AS x WHERE x.contact_id = %s",
        "x.ordered_on::timestamp AT TIME ZONE 'UTC'",
        "jsonb_build_object('external_id', x.external_id, 'quantity', x.quantity, 'amount',"
        " jsonb_build_object('amount', x.amount_minor, 'currency', x.currency))",
    ),
    "consent.recorded": (
        "crm_consent AS x WHERE x.contact_id = %s",
        "x.recorded_at",
        "jsonb_build_object('channel', x.channel, 'purpose', x.purpose, 'status', x.status,"
        " 'source', x.source)",
    ),
    "note.written": (
        "crm_note AS x WHERE x.contact_id = %s",
        "x.created_at",
        "jsonb_build_object('text', x.text, 'author_id', x.author_id)",
    ),
    "task.created": (
        "crm_task AS x WHERE x.contact_id = %s",
        "x.created_at",
        "jsonb_build_object('title', x.title, 'due_at', x.due_at, 'assignee_id', x.assignee_id)",
    ),
    "task.done": (
        "crm_task AS x WHERE x.contact_id = %s AND x.done_at IS NOT NULL",
        "x.done_at",
        "jsonb_build_object('title', x.title)",
    ),
    "deal.created": (
        "crm_deal AS x WHERE x.contact_id = %s",
        "x.created_at",
        "jsonb_build_object('name', x.name, 'stage_id', x.stage_id, 'amount_minor', x.amount_minor,"
        " 'currency', x.currency)",
    ),
    "deal.closed": (
        "crm_deal AS x WHERE x.contact_id = %s AND x.closed_at IS NOT NULL",
        "x.closed_at",
        "jsonb_build_object('name', x.name, 'stage_id', x.stage_id)",
    ),
    "segment.entered": (
        "(SELECT s.id, m.contact_id, m.entered_at, s.name FROM crm_segmentmember AS m"
        " JOIN crm_segment AS s ON s.id = m.segment_id) AS x WHERE x.contact_id = %s",
        "x.entered_at",
        "jsonb_build_object('name', x.name)",
    ),
}
_SIGNS = {"lt": "<", "gt": ">"}


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened. `data` is as its kind says."""

    id: UUID
    kind: str
    at: datetime
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Timeline:
    """A contact's moments as `config.pages.CursorPage` asks for them: ordered, from a position on, a slice."""

    contact_id: UUID
    _ordering: tuple[str, ...] = ("-at", "-id")
    _position: dict[str, Any] = field(default_factory=dict)

    def order_by(self, *names: str) -> "Timeline":
        return replace(self, _ordering=names)

    def filter(self, **position: Any) -> "Timeline":
        return replace(self, _position=position)

    def __getitem__(self, wanted: slice) -> list[Moment]:
        """Raises django's ValidationError where the position is no moment."""
        turn = "DESC" if self._ordering[0].startswith("-") else "ASC"
        order = f"ORDER BY at {turn}, id {turn}, kind {turn}"
        parts, parameters = [], list[Any]()
        for kind, (source, at, data) in _PARTS.items():
            after, position = self._after(at)
            parts.append(
                f"(SELECT x.id, '{kind}' AS kind, {at} AS at, ({data})::text AS data"  # noqa: S608 (declared)
                f" FROM {source}{after} {order} LIMIT %s)"
            )
            parameters += [self.contact_id, *position, int(wanted.stop)]
        statement = f"{' UNION ALL '.join(parts)} {order} LIMIT %s OFFSET %s"
        start = int(wanted.start or 0)
        with connection.cursor() as cursor:
            cursor.execute(statement, [*parameters, int(wanted.stop) - start, start])
            rows = cursor.fetchall()
        return [Moment(pk, kind, at, json.loads(data)) for pk, kind, at, data in rows]

    def _after(self, at: str) -> tuple[str, list[Any]]:
        text, parameters = "", list[Any]()
        for lookup, value in self._position.items():
            text += f" AND {at} {_SIGNS[lookup.rpartition('__')[2]]} %s::timestamptz"
            parameters.append(models.DateTimeField().to_python(value))
        return text, parameters
