"""What the clock does to campaigns: start what is due, complete what is over, cancel what was missed."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from apps.campaigns.models import Campaign, CampaignQuerySet, CampaignTransition
from apps.campaigns.services.mailing import beginning
from tenants.trail.actions import Action
from tenants.trail.recording import Change, Subject, record_all

# A tick takes this many of each kind from one tenant, so that nobody's backlog holds up the others.
BATCH = 1_000
_STARTED = "clock: starts_at reached"
_COMPLETED = "clock: ends_at reached"
_MISSED = "clock: ends_at passed before the start"


@dataclass(frozen=True, slots=True)
class Tick:
    """How many campaigns one tick moved in one tenant."""

    started: int
    completed: int
    missed: int


@transaction.atomic
def tick(*, now: datetime) -> Tick:
    """Move what is due in the tenant in force, at most `BATCH` of each kind. Harmless twice and side by side."""
    return Tick(
        missed=_move(Campaign.objects.missed(now), Campaign.Status.CANCELLED, _MISSED, now),
        started=_move(Campaign.objects.due(now), Campaign.Status.ACTIVE, _STARTED, now),
        completed=_move(Campaign.objects.over(now), Campaign.Status.COMPLETED, _COMPLETED, now),
    )


def _move(due: CampaignQuerySet, target: Campaign.Status, reason: str, now: datetime) -> int:
    """Set-wise, so that 1,000 campaigns cost three statements. The callers ask only for moves that are allowed."""
    # A campaign that somebody is changing at this moment is left for the next tick.
    found = list(due.select_for_update(skip_locked=True).order_by("id")[:BATCH])
    if not found:
        return 0
    Campaign.objects.filter(pk__in=[campaign.pk for campaign in found]).update(
        status=target, updated_at=now
    )
    CampaignTransition.objects.bulk_create(
        CampaignTransition(
            campaign=campaign, from_status=campaign.status, to_status=target, reason=reason, at=now
        )
        for campaign in found
    )
    record_all(Action.CAMPAIGN_MOVED, [_moved(campaign, target) for campaign in found])
    if target == Campaign.Status.ACTIVE:
        beginning.begin([campaign.pk for campaign in found], now=now)
    return len(found)


def _moved(campaign: Campaign, target: Campaign.Status) -> tuple[Subject, Change]:
    change = Change(before={"status": str(campaign.status)}, after={"status": str(target)})
    return Subject("campaign", campaign.pk, campaign.name), change
