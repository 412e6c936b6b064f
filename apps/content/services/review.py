"""Draft, approved, archived: the states that briefs and pieces share, and who may change what in them."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.content.models import Brief, Piece, ReviewStatus
from config.errors import DomainError, NotFound

Reviewed = TypeVar("Reviewed", Brief, Piece)


class Verb(StrEnum):
    """What may be asked of a brief or a piece."""

    APPROVE = "approve"
    REOPEN = "reopen"
    ARCHIVE = "archive"


TARGETS: Mapping[Verb, ReviewStatus] = {
    Verb.APPROVE: ReviewStatus.APPROVED,
    Verb.REOPEN: ReviewStatus.DRAFT,
    Verb.ARCHIVE: ReviewStatus.ARCHIVED,
}
# Whatever is not here is refused.
ALLOWED: Mapping[ReviewStatus, tuple[Verb, ...]] = {
    ReviewStatus.DRAFT: (Verb.APPROVE, Verb.ARCHIVE),
    ReviewStatus.APPROVED: (Verb.REOPEN, Verb.ARCHIVE),
    ReviewStatus.ARCHIVED: (Verb.REOPEN,),
}


class ReviewRefused(DomainError):
    """The state does not allow this: `from`, `to`, and the verbs that are `allowed` now."""

    code = "review_refused"
    title = _("The state of this content does not allow this.")


class ContentNotDraft(DomainError):
    """Only a draft may be changed or deleted; reopen it first."""

    code = "content_not_draft"
    title = _("Only a draft can be changed or deleted. Reopen it first.")


def locked(model: type[Reviewed], pk: UUID) -> Reviewed:
    """Hold one brief or piece until the transaction ends. Raises NotFound."""
    # `of`: a piece's brief and template are not held.
    found = model.objects.select_for_update(of=("self",)).filter(pk=pk).first()
    if found is None:
        raise NotFound()
    return found


def locked_draft(model: type[Reviewed], pk: UUID) -> Reviewed:
    """Hold one that may be changed. Raises ContentNotDraft, NotFound."""
    found = locked(model, pk)
    if found.status != ReviewStatus.DRAFT:
        raise ContentNotDraft(status=found.status)
    return found


@transaction.atomic
def move(
    *, model: type[Reviewed], pk: UUID, verb: Verb, by_id: UUID | None, now: datetime
) -> Reviewed:
    """Approve, reopen or archive. `by_id` and `now` are kept of an approval. Raises ReviewRefused, NotFound."""
    found = locked(model, pk)
    status = ReviewStatus(found.status)
    if verb not in ALLOWED[status]:
        facts = {"from": status.value, "to": TARGETS[verb].value}
        raise ReviewRefused(**facts, allowed=[each.value for each in ALLOWED[status]])
    is_approval = verb is Verb.APPROVE
    found.status = TARGETS[verb]
    found.approved_by_id = by_id if is_approval else None
    found.approved_at = now if is_approval else None
    found.updated_at = now
    found.save(update_fields=["status", "approved_by_id", "approved_at", "updated_at"])
    return found


def apply(found: Brief | Piece, changes: Mapping[str, Any], *, now: datetime) -> bool:
    """Write what differs of `changes`; False when nothing does."""
    differing = [name for name, value in changes.items() if getattr(found, name) != value]
    for name in differing:
        setattr(found, name, changes[name])
    if differing:
        found.updated_at = now
        found.save(update_fields=[*differing, "updated_at"])
    return bool(differing)
