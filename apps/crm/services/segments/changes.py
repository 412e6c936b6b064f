"""Contacts that have changed are noted in the writer's transaction, and segments are told to look at them."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db import connection

from config.celery import later
from config.ids import new_id

# Nothing is noted while no segment has a rule. The writer's lock on the table is what a new segment waits for.
WHERE_WATCHED = "EXISTS (SELECT FROM crm_segment WHERE kind = 'dynamic')"
_NOTE = f"""
INSERT INTO crm_segmentchange (id, contact_id)
SELECT * FROM unnest(%s::uuid[], %s::uuid[]) WHERE {WHERE_WATCHED}
"""  # noqa: S608 (constant)
_OF_TAG = "SELECT contact_id FROM crm_contacttag WHERE tag_id = %s"
_OF_COMPANY = "SELECT id FROM crm_contact WHERE company_id = %s"


def note(contact_ids: Collection[UUID | str]) -> None:
    """Have the segments look at these contacts after the commit. One statement."""
    if not contact_ids:
        return
    wanted = list(contact_ids)
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [[new_id() for _ in wanted], wanted])
        noted = cursor.rowcount
    if noted:
        look_later()


def look_later() -> None:
    """Lost messages are made good by the clock (crm.refresh_segments_everywhere)."""
    later("crm.refresh_segments", lossy=True)


def note_tagged(tag_id: UUID) -> None:
    """The contacts that carry the tag: before it goes, or once it has another name."""
    note(_ids(_OF_TAG, tag_id))


def note_employed(company_id: UUID) -> None:
    """The contacts of a company, before it goes."""
    note(_ids(_OF_COMPANY, company_id))


def _ids(statement: str, named: Any) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(statement, [named])
        return [row[0] for row in cursor.fetchall()]
