"""Segments as they are made and changed; how many would fit; lists by hand; snapshots."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import Value
from django.db.models.functions import Lower
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.crm.models import Segment, SegmentMember
from apps.crm.services.segments import changes, rules
from apps.crm.services.segments.fields import refused
from config.celery import later
from config.errors import DomainError, NotFound, ValidationFailed
from config.transactions import recoverable
from tenants.trail.actions import Action
from tenants.trail.recording import Subject, record

# So many segments may have rules: each is looked at for every contact that changes.
MOST_DYNAMIC = 500
_COUNT = (
    "SELECT count(*) FROM crm_contact AS contact WHERE contact.archived_at IS NULL AND ({rule})"
)
_COPY = """
INSERT INTO crm_segmentmember (segment_id, contact_id, entered_at)
SELECT %s, contact_id, %s FROM crm_segmentmember WHERE segment_id = %s
"""
_ADD = """
INSERT INTO crm_segmentmember (segment_id, contact_id, entered_at)
SELECT %s, id, %s FROM crm_contact WHERE id = ANY(%s::uuid[])
ON CONFLICT DO NOTHING RETURNING contact_id
"""
_REMOVE = """
DELETE FROM crm_segmentmember WHERE segment_id = %s AND contact_id = ANY(%s::uuid[])
RETURNING contact_id
"""


class SegmentValues(TypedDict, total=False):
    """`rule` None makes a static list."""

    name: str
    external_id: str | None
    rule: dict[str, Any] | None


class SegmentExists(DomainError):
    """Another segment, `id`, has this name or external id."""

    code = "segment_exists"
    status = 409
    title = gettext_lazy("Another segment has this name or external id.")


class SegmentInUse(DomainError):
    """Rules of other segments, `ids`, name this one."""

    code = "segment_in_use"
    status = 409
    title = gettext_lazy("Other segments are made of this one.")


class SegmentNotStatic(DomainError):
    """Only a static list is filled by hand."""

    code = "segment_not_static"
    status = 409
    title = gettext_lazy("A segment with a rule is filled by its rule alone.")


@transaction.atomic
def create(*, values: SegmentValues, now: datetime) -> Segment:
    """Add a segment; who fits its rule is found out after the commit. Raises SegmentExists, ValidationFailed."""
    segment = Segment(created_at=now, updated_at=now, kind=Segment.Kind.STATIC)
    if values.get("rule") is not None:
        segment.kind = Segment.Kind.DYNAMIC
        if Segment.objects.filter(kind=Segment.Kind.DYNAMIC).count() >= MOST_DYNAMIC:
            raise refused(_("There are %d segments with rules already.") % MOST_DYNAMIC)
    return _saved(segment, values, now)


@transaction.atomic
def change(*, segment_id: UUID, values: SegmentValues, now: datetime) -> Segment:
    """Change what `values` names. Raises NotFound, SegmentExists, ValidationFailed."""
    segment = _locked(segment_id)
    if "rule" in values and (values["rule"] is None) != (segment.rule is None):
        raise refused(_("A list stays a list, and a segment with a rule has one."))
    segment.updated_at = now
    return _saved(segment, values, now)


@transaction.atomic
def delete(*, segment_id: UUID) -> None:
    """Delete the segment; its contacts stay. Raises NotFound, SegmentInUse."""
    segment = _locked(segment_id)
    users = Segment.objects.filter(uses__contains=[str(segment_id)]).order_by("pk")
    if ids := [str(pk) for pk in users.values_list("pk", flat=True)]:
        raise SegmentInUse(ids=ids)
    SegmentMember.objects.filter(segment=segment).delete()
    segment.delete()
    record(Action.SEGMENT_DELETED, Subject("segment", segment_id, segment.name))


def count_of(*, rule: Any, now: datetime) -> int:
    """How many contacts fit a rule now; nothing is kept. Two statements. Raises ValidationFailed."""
    read = rules.read(rule, today=now.date())
    _refuse_unknown(read.uses)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT.format(rule=read.sql.text), read.sql.parameters)
        return int(cursor.fetchone()[0])


@transaction.atomic
def put(
    *, segment_id: UUID, add: Collection[UUID], remove: Collection[UUID], now: datetime
) -> tuple[int, int]:
    """Put contacts into a static list, and take others out: (how many came, how many went).

    Who is in already, and who is no contact, makes no difference. Raises NotFound, SegmentNotStatic.
    """
    segment = _locked(segment_id)
    if segment.kind != Segment.Kind.STATIC:
        raise SegmentNotStatic()
    with connection.cursor() as cursor:
        cursor.execute(_ADD, [segment_id, now, sorted(add)])
        came = [row[0] for row in cursor.fetchall()]
        cursor.execute(_REMOVE, [segment_id, sorted(remove)])
        went = [row[0] for row in cursor.fetchall()]
    changes.note([*came, *went])
    return len(came), len(went)


@transaction.atomic
def snapshot(*, segment_id: UUID, name: str, now: datetime) -> Segment:
    """A static list of who is in the segment now: what a send goes to. Raises NotFound, SegmentExists."""
    taken_of = Segment.objects.filter(pk=segment_id).first()
    if taken_of is None:
        raise NotFound()
    copy = Segment(
        created_at=now, updated_at=now, kind=Segment.Kind.STATIC, taken_of_id=taken_of.pk
    )
    _saved(copy, {"name": name}, now)
    with connection.cursor() as cursor:
        cursor.execute(_COPY, [copy.pk, now, segment_id])
    return copy


def size_of(segment_id: UUID) -> int:
    """How many contacts are in it, archived ones of a static list too."""
    return SegmentMember.objects.filter(segment_id=segment_id).count()


def _locked(segment_id: UUID) -> Segment:
    segment = Segment.objects.select_for_update().filter(pk=segment_id).first()
    if segment is None:
        raise NotFound()
    return segment


def _saved(segment: Segment, values: SegmentValues, now: datetime) -> Segment:
    segment.name = values.get("name", segment.name)
    segment.external_id = values.get("external_id", segment.external_id)
    if values.get("rule") is not None and values["rule"] != segment.rule:
        read = rules.read(values["rule"], today=now.date())
        _refuse_unknown(read.uses)
        _refuse_circle(segment.pk, read.uses)
        segment.rule, segment.uses = values["rule"], [str(pk) for pk in read.uses]
        segment.filled_at = None
        later("crm.fill_segment", segment_id=str(segment.pk))
    elif segment.kind == Segment.Kind.STATIC:
        segment.filled_at = segment.filled_at or now
    try:
        with recoverable():
            segment.save()
    except IntegrityError as error:
        taken = _taken(segment)
        if taken is None:
            raise
        raise taken from error
    return segment


def _refuse_unknown(named: Collection[UUID]) -> None:
    known = Segment.objects.filter(pk__in=named).count() if named else 0
    if known != len(named):
        raise ValidationFailed(errors={"rule": [_("There is no such segment.")]})


def _refuse_circle(segment_id: UUID, named: Collection[UUID]) -> None:
    uses = {str(pk): found for pk, found in Segment.objects.values_list("pk", "uses")}
    ahead, seen = [str(pk) for pk in named], set[str]()
    while ahead:
        each = ahead.pop()
        if each == str(segment_id):
            raise ValidationFailed(errors={"rule": [_("A segment cannot be made of itself.")]})
        if each not in seen:
            seen.add(each)
            ahead += uses.get(each, [])


def _taken(segment: Segment) -> SegmentExists | None:
    others = Segment.objects.exclude(pk=segment.pk).alias(lowered=Lower("name"))
    for field, condition in (
        ("name", {"lowered": Lower(Value(segment.name))}),
        ("external_id", {"external_id": segment.external_id}),
    ):
        holder = others.filter(**condition).first() if getattr(segment, field) else None
        if holder is not None:
            return SegmentExists(id=str(holder.pk), field=field)
    return None
