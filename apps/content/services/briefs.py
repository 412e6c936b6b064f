"""Make, change and remove briefs; and hand an approved one to whoever makes something from it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext_lazy as _

from apps.content.models import Brief, ReviewStatus
from apps.content.services import review
from config.errors import DomainError, ValidationFailed
from tenants.trail.actions import Action
from tenants.trail.recording import Subject, record


class BriefNotApproved(DomainError):
    """Nothing is made from a brief before it is approved."""

    code = "brief_not_approved"
    title = _("The brief is not approved.")


class BriefInUse(DomainError):
    """Pieces were made from this brief; archive it instead."""

    code = "brief_in_use"
    title = _("Pieces were made from this brief. Archive it instead.")


def create(*, fields: Mapping[str, Any], by_id: UUID | None, now: datetime) -> Brief:
    """Make a draft. `fields` are Brief's own: objective, audience, tone, guidelines, languages, channels, name."""
    return Brief.objects.create(created_by_id=by_id, created_at=now, updated_at=now, **fields)


@transaction.atomic
def edit(*, brief_id: UUID, changes: Mapping[str, Any], now: datetime) -> Brief:
    """Change a draft. Raises ContentNotDraft, NotFound."""
    brief = review.locked_draft(Brief, brief_id)
    review.apply(brief, changes, now=now)
    return brief


@transaction.atomic
def remove(*, brief_id: UUID) -> None:
    """Delete a draft from which nothing was made. Raises ContentNotDraft, BriefInUse, NotFound."""
    brief = review.locked_draft(Brief, brief_id)
    try:
        brief.delete()
    except ProtectedError as error:
        raise BriefInUse() from error
    record(Action.BRIEF_DELETED, Subject("brief", brief_id, brief.name))


def approved(*, brief_id: UUID, channel: str | None, language: str | None) -> Brief:
    """Give the brief to make something from, for one of its channels and languages (None: not yet chosen).

    Raises BriefNotApproved, ValidationFailed (`brief_id`, `channel`, `language`).
    """
    brief = Brief.objects.filter(pk=brief_id).first()
    if brief is None:
        raise ValidationFailed(errors={"brief_id": [_("There is no such brief.")]})
    if brief.status != ReviewStatus.APPROVED:
        raise BriefNotApproved(status=brief.status)
    outside = {
        field: [_("The brief does not name this.")]
        for field, chosen, named in (
            ("channel", channel, brief.channels),
            ("language", language, brief.languages),
        )
        if chosen is not None and named and chosen not in named
    }
    if outside:
        raise ValidationFailed(errors=outside)
    return brief
