"""Make, change and remove pieces."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.content.models import LONGEST_SUBJECT, Piece, Template
from apps.content.services import briefs, review, templates
from config.errors import DomainError, ValidationFailed
from tenants.trail.actions import Action
from tenants.trail.recording import Subject, record


class PieceChanged(DomainError):
    """Somebody changed the piece since the version that the client read: `version` is the present one."""

    code = "piece_changed"
    title = _("The piece was changed by somebody else in the meantime.")


@transaction.atomic
def create(*, fields: Mapping[str, Any], by_id: UUID | None, now: datetime) -> Piece:
    """Make a draft: channel, language, body, and optionally title, brief_id, engine.

    With `template_id` (and `values`) the template's text becomes title and body instead.
    Raises BriefNotApproved, ValidationFailed.
    """
    wanted = dict(fields)
    values = wanted.pop("values", None)
    if wanted.get("brief_id"):
        briefs.approved(
            brief_id=wanted["brief_id"], channel=wanted["channel"], language=wanted["language"]
        )
    if wanted.get("template_id"):
        wanted |= _text_of(wanted, values or {})
    elif values is not None:
        raise ValidationFailed(errors={"values": [_("Values need a template.")]})
    elif not wanted.get("body"):
        raise ValidationFailed(errors={"body": [_("A piece needs a body or a template.")]})
    return Piece.objects.create(created_by_id=by_id, created_at=now, updated_at=now, **wanted)


@transaction.atomic
def edit(
    *, piece_id: UUID, changes: Mapping[str, Any], version: int | None, now: datetime
) -> Piece:
    """Change a draft; each change makes it the next version. `version` is the one the client read, if told.

    Raises PieceChanged, ContentNotDraft, BriefNotApproved, ValidationFailed, NotFound.
    """
    piece = review.locked_draft(Piece, piece_id)
    if version is not None and version != piece.version:
        raise PieceChanged(version=piece.version)
    if piece.brief_id is not None and changes.keys() & {"channel", "language"}:
        briefs.approved(
            brief_id=piece.brief_id,
            channel=changes.get("channel", piece.channel),
            language=changes.get("language", piece.language),
        )
    if review.apply(piece, changes, now=now):
        piece.version += 1
        piece.save(update_fields=["version"])
    return piece


@transaction.atomic
def remove(*, piece_id: UUID) -> None:
    """Delete a draft. Raises ContentNotDraft, NotFound."""
    piece = review.locked_draft(Piece, piece_id)
    piece.delete()
    record(Action.PIECE_DELETED, Subject("piece", piece_id, piece.title))


def _text_of(wanted: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, str]:
    if wanted.get("body"):
        raise ValidationFailed(errors={"body": [_("Either a body or a template.")]})
    template = Template.objects.filter(pk=wanted["template_id"]).first()
    if template is None:
        raise ValidationFailed(errors={"template_id": [_("There is no such template.")]})
    made = templates.preview(template=template, values=values)
    if made.missing:
        lacking = {
            name: [_("This variable has neither a value nor a default.")] for name in made.missing
        }
        raise ValidationFailed(errors={"values": lacking})
    title = wanted.get("title") or made.subject
    if len(title) > LONGEST_SUBJECT:
        message = _("The template's subject with these values is too long.")
        raise ValidationFailed(errors={"title": [message]})
    if not made.body.strip():
        raise ValidationFailed(errors={"body": [_("The template with these values is empty.")]})
    return {"title": title, "body": made.body}
