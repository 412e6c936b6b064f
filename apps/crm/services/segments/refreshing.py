"""Memberships follow their contacts: a change costs what it touches, a new rule one look at everybody.

Whoever refreshes holds the rows of the dynamic segments, so that two looks at one contact come one after
the other; each takes the noted changes first and looks afterwards, by later snapshots.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from apps.crm.models import Segment
from apps.crm.services.segments import rules
from apps.crm.services.segments.telling import tell
from config.ids import new_id

MOST_AT_ONCE = 5_000
_TAKE = """
DELETE FROM crm_segmentchange WHERE id IN (SELECT id FROM crm_segmentchange ORDER BY id LIMIT %s)
RETURNING contact_id
"""
# A statement sees what was there before it: `fits` is who is in, whatever the other two parts do.
_MOVE = """
WITH fits AS MATERIALIZED (
    SELECT contact.id FROM crm_contact AS contact
     WHERE contact.archived_at IS NULL AND ({rule}) {among}
), gone AS (
    DELETE FROM crm_segmentmember AS member
     WHERE member.segment_id = %s {of_member} AND NOT EXISTS (SELECT FROM fits WHERE fits.id = member.contact_id)
    RETURNING member.contact_id
), come AS (
    INSERT INTO crm_segmentmember (segment_id, contact_id, entered_at)
    SELECT %s, fits.id, %s FROM fits ON CONFLICT DO NOTHING
    RETURNING contact_id
)
SELECT true, contact_id FROM come UNION ALL SELECT false, contact_id FROM gone
"""
_NOTE = (
    "INSERT INTO crm_segmentchange (id, contact_id) SELECT * FROM unnest(%s::uuid[], %s::uuid[])"
)
_TURNED = "SELECT id FROM crm_contact AS contact WHERE {turned}"


def refresh(*, now: datetime) -> int:
    """Look at contacts that have changed, or whose relative dates have; how many of them there were.

    At most 5,000 at once: who gets as many asks again.
    """
    with transaction.atomic():
        segments = _locked()
        _note_turned(segments, now)
        changed = sorted(set(_ids(_TAKE, [MOST_AT_ONCE])))
        if changed:
            for segment in in_order([each for each in segments if each.filled_at]):
                tell(segment, *_moved(segment, changed, now), now=now)
    return len(changed)


def fill(*, segment_id: UUID, now: datetime) -> bool:
    """Look at everybody for a segment whose rule is new. False: there is nothing to do. Harmless twice.

    Nobody is told of it: the rule has changed, not the contacts.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        # Writers that saw no rule have noted nothing; they are waited for, and those to come will note.
        cursor.execute("LOCK TABLE crm_segmentchange IN SHARE MODE")
    with transaction.atomic():
        segments = _locked()
        segment = next((each for each in segments if each.pk == segment_id), None)
        if segment is None or segment.filled_at is not None:
            return False
        moved = [pk for side in _moved(segment, None, now) for pk in side]
        if any(str(segment.pk) in each.uses for each in segments):
            with connection.cursor() as cursor:
                cursor.execute(_NOTE, [[new_id() for _ in moved], moved])
        segment.filled_at = now
        segment.looked_on = now.date() if _rule(segment, now.date()).turning else None
        segment.save(update_fields=["filled_at", "looked_on"])
    return True


def in_order(segments: Sequence[Segment]) -> list[Segment]:
    """Each after those that its rule names."""
    left, done = {str(each.pk): each for each in segments}, list[Segment]()
    while left:
        ready = [each for each in left.values() if not left.keys() & set(each.uses)]
        for each in ready or list(left.values()):  # a circle is refused when a rule is written
            done.append(left.pop(str(each.pk)))
    return done


def _locked() -> list[Segment]:
    dynamic = Segment.objects.select_for_update().filter(kind=Segment.Kind.DYNAMIC)
    return list(dynamic.order_by("pk"))


def _note_turned(segments: Sequence[Segment], now: datetime) -> None:
    """Contacts of whom a relative date has turned since the day of the last look."""
    today = now.date()
    for segment in segments:
        if segment.filled_at is None or segment.looked_on is None or segment.looked_on >= today:
            continue
        turned = _rule(segment, today).turned(segment.looked_on, today)
        if turned is not None:
            found = _ids(_TURNED.format(turned=turned[0]), turned[1])
            with connection.cursor() as cursor:
                cursor.execute(_NOTE, [[new_id() for _ in found], found])
        segment.looked_on = today
        segment.save(update_fields=["looked_on"])


def _rule(segment: Segment, today: date) -> rules.Rule:
    return rules.read(segment.rule, today=today)


def _moved(
    segment: Segment, among: list[UUID] | None, now: datetime
) -> tuple[list[UUID], list[UUID]]:
    """(who came, who went) of these contacts, or of everybody."""
    sql = _rule(segment, now.date()).sql
    only = [] if among is None else [among]
    statement = _MOVE.format(
        rule=sql.text,
        among="" if among is None else "AND contact.id = ANY(%s::uuid[])",
        of_member="" if among is None else "AND member.contact_id = ANY(%s::uuid[])",
    )
    parameters: list[Any] = [*sql.parameters, *only, segment.pk, *only, segment.pk, now]
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows = cursor.fetchall()
    return [pk for came, pk in rows if came], [pk for came, pk in rows if not came]


def _ids(statement: str, parameters: list[Any]) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [row[0] for row in cursor.fetchall()]
