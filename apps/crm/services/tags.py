"""Tags: words that contacts are sorted by."""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Value
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from apps.crm.models import Tag
from apps.crm.services.segments import changes
from config.errors import DomainError, NotFound
from config.transactions import recoverable
from tenants.trail.actions import Action
from tenants.trail.recording import Subject, record


class TagExists(DomainError):
    """There is a tag of this name, in whatever case: `id`."""

    code = "tag_exists"
    status = 409
    title = _("There is a tag of this name.")


def create(*, name: str, now: datetime) -> Tag:
    """Add a tag. Raises TagExists."""
    return _saved(Tag(name=name, created_at=now))


@transaction.atomic
def rename(*, tag_id: UUID, name: str) -> Tag:
    """Give the tag another name; its contacts keep it. Raises NotFound, TagExists."""
    tag = Tag.objects.select_for_update().filter(pk=tag_id).first()
    if tag is None:
        raise NotFound()
    tag.name = name
    _saved(tag)
    changes.note_tagged(tag_id)
    return tag


@transaction.atomic
def delete(*, tag_id: UUID) -> None:
    """Take the tag from every contact. Raises NotFound."""
    changes.note_tagged(tag_id)
    if not Tag.objects.filter(pk=tag_id).delete()[0]:
        raise NotFound()
    record(Action.TAG_DELETED, Subject("tag", tag_id))


def _saved(tag: Tag) -> Tag:
    try:
        with recoverable():
            tag.save()
    except IntegrityError as error:
        # Lowered as the index does it: `iexact` compares capitals, which are others for some letters.
        named = Tag.objects.alias(lowered=Lower("name")).filter(lowered=Lower(Value(tag.name)))
        holder = named.exclude(pk=tag.pk).first()
        if holder is None:
            raise
        raise TagExists(id=str(holder.pk)) from error
    return tag
