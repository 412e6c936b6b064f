"""The states of a campaign: one table of moves, their guards, and a row of history for each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.campaigns.models import Campaign, CampaignTransition
from apps.campaigns.services.mailing import beginning
from config.errors import DomainError, NotFound, ValidationFailed
from tenants.trail.actions import Action
from tenants.trail.recording import Change, Subject, record

Status = Campaign.Status
SHOWN_MOVES = 100


class Verb(StrEnum):
    """What may be asked of a campaign."""

    SCHEDULE = "schedule"
    ACTIVATE = "activate"
    PAUSE = "pause"
    RESUME = "resume"
    COMPLETE = "complete"
    CANCEL = "cancel"


TARGETS: Mapping[Verb, Status] = {
    Verb.SCHEDULE: Status.SCHEDULED,
    Verb.ACTIVATE: Status.ACTIVE,
    Verb.PAUSE: Status.PAUSED,
    Verb.RESUME: Status.ACTIVE,
    Verb.COMPLETE: Status.COMPLETED,
    Verb.CANCEL: Status.CANCELLED,
}
# Whatever is not here is refused. Completed and cancelled are final.
ALLOWED: Mapping[Status, tuple[Verb, ...]] = {
    Status.DRAFT: (Verb.SCHEDULE, Verb.ACTIVATE, Verb.CANCEL),
    Status.SCHEDULED: (Verb.ACTIVATE, Verb.CANCEL),
    Status.ACTIVE: (Verb.PAUSE, Verb.COMPLETE, Verb.CANCEL),
    Status.PAUSED: (Verb.RESUME, Verb.COMPLETE, Verb.CANCEL),
    Status.COMPLETED: (),
    Status.CANCELLED: (),
}


class CampaignTransitionRefused(DomainError):
    """The campaign's state does not allow this: `from`, `to`, and the verbs that are `allowed` now."""

    code = "campaign_transition_refused"
    title = _("The campaign's state does not allow this.")


class CampaignIsOver(DomainError):
    """The campaign's end has passed: move `ends_at` first."""

    code = "campaign_is_over"
    title = _("The campaign's end has passed.")


def campaign_named(campaign_id: UUID) -> Campaign:
    """Raises NotFound."""
    campaign = Campaign.objects.filter(pk=campaign_id).first()
    if campaign is None:
        raise NotFound()
    return campaign


def locked(campaign_id: UUID) -> Campaign:
    """Hold the campaign until the transaction ends. Raises NotFound."""
    campaign = Campaign.objects.select_for_update().filter(pk=campaign_id).first()
    if campaign is None:
        raise NotFound()
    return campaign


@dataclass(frozen=True, slots=True)
class Standing:
    """How a campaign stands: since when, what may be asked of it, and its moves, the newest first."""

    id: UUID
    status: str
    since: datetime
    allowed: list[str]
    starts_at: datetime | None
    ends_at: datetime | None
    history: list[CampaignTransition]


def standing(*, campaign_id: UUID) -> Standing:
    """Tell the state of one campaign with its last moves. Raises NotFound."""
    campaign = campaign_named(campaign_id)
    history = list(campaign.transitions.order_by("-id")[:SHOWN_MOVES])
    return Standing(
        id=campaign.pk,
        status=campaign.status,
        since=history[0].at if history else campaign.created_at,
        allowed=[verb.value for verb in ALLOWED[Status(campaign.status)]],
        starts_at=campaign.starts_at,
        ends_at=campaign.ends_at,
        history=history,
    )


@transaction.atomic
def schedule(
    *,
    campaign_id: UUID,
    starts_at: datetime | None,
    by_id: UUID | None,
    reason: str = "",
    now: datetime,
) -> Campaign:
    """Promise the start at `starts_at` (aware UTC; None keeps the campaign's own), which must lie ahead.

    Raises CampaignTransitionRefused, ValidationFailed (`starts_at`, `ends_at`), NotFound.
    """
    campaign = locked(campaign_id)
    _check_allowed(campaign, Verb.SCHEDULE)
    campaign.starts_at = starts_at or campaign.starts_at
    check_start(campaign.starts_at, now=now)
    check_window(starts_at=campaign.starts_at, ends_at=campaign.ends_at)
    beginning.check(campaign)
    return _moved(campaign, Verb.SCHEDULE, by_id=by_id, reason=reason, now=now)


@transaction.atomic
def move(
    *, campaign_id: UUID, verb: Verb, by_id: UUID | None, reason: str = "", now: datetime
) -> Campaign:
    """Activate, pause, resume, complete or cancel. Activation before `starts_at` makes `now` the start.

    Raises CampaignTransitionRefused, CampaignIsOver, NotFound. To schedule, call `schedule`.
    """
    if verb is Verb.SCHEDULE:
        return schedule(
            campaign_id=campaign_id, starts_at=None, by_id=by_id, reason=reason, now=now
        )
    campaign = locked(campaign_id)
    _check_allowed(campaign, verb)
    if TARGETS[verb] is Status.ACTIVE:
        _check_not_over(campaign, now=now)
        beginning.check(campaign)
    if verb is Verb.ACTIVATE and (campaign.starts_at is None or campaign.starts_at > now):
        campaign.starts_at = now
    return _moved(campaign, verb, by_id=by_id, reason=reason, now=now)


def check_start(starts_at: datetime | None, *, now: datetime) -> None:
    """Raise ValidationFailed unless the start is known and ahead of `now`."""
    if starts_at is None:
        raise ValidationFailed(errors={"starts_at": [_("A scheduled campaign needs a start.")]})
    if starts_at <= now:
        raise ValidationFailed(errors={"starts_at": [_("The start must lie in the future.")]})


def check_window(*, starts_at: datetime | None, ends_at: datetime | None) -> None:
    """Raise ValidationFailed unless the end, where both are known, lies after the start."""
    if starts_at is not None and ends_at is not None and ends_at <= starts_at:
        raise ValidationFailed(errors={"ends_at": [_("The end must lie after the start.")]})


def _check_allowed(campaign: Campaign, verb: Verb) -> None:
    status = Status(campaign.status)
    if verb not in ALLOWED[status]:
        facts = {"from": status.value, "to": TARGETS[verb].value}
        raise CampaignTransitionRefused(**facts, allowed=[each.value for each in ALLOWED[status]])


def _check_not_over(campaign: Campaign, *, now: datetime) -> None:
    if campaign.ends_at is not None and campaign.ends_at <= now:
        raise CampaignIsOver(ends_at=campaign.ends_at)


def _moved(
    campaign: Campaign, verb: Verb, *, by_id: UUID | None, reason: str, now: datetime
) -> Campaign:
    before, campaign.status = campaign.status, TARGETS[verb]
    campaign.updated_at = now
    campaign.save(update_fields=["status", "starts_at", "updated_at"])
    CampaignTransition.objects.create(
        campaign=campaign,
        from_status=before,
        to_status=campaign.status,
        by_id=by_id,
        reason=reason,
        at=now,
    )
    change = Change(before={"status": str(before)}, after={"status": str(campaign.status)})
    record(Action.CAMPAIGN_MOVED, Subject("campaign", campaign.pk, campaign.name), change)
    if campaign.status == Status.ACTIVE:
        beginning.begin([campaign.pk], now=now)
    return campaign
