"""Make, change and remove campaigns. Their states are lifecycle.py's business."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NotRequired, TypedDict
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.campaigns.models import Campaign
from apps.campaigns.services.lifecycle import check_start, check_window, locked
from config.cause import for_campaign
from config.context import require_tenant
from config.errors import DomainError
from config.needs import Meter
from quotas import ledger
from tenants.trail.actions import Action
from tenants.trail.recording import Subject, record

Status = Campaign.Status
_ALL = frozenset(
    {
        "name",
        "description",
        "type",
        "budget_minor",
        "budget_currency",
        "starts_at",
        "ends_at",
        "target_audience",
    }
)
# What a campaign says, to whom and from when is frozen once it has been active.
_AROUND = frozenset({"name", "budget_minor", "ends_at"})
EDITABLE: Mapping[Status, frozenset[str]] = {
    Status.DRAFT: _ALL,
    Status.SCHEDULED: _ALL,
    Status.ACTIVE: frozenset(),
    Status.PAUSED: _AROUND,
    Status.COMPLETED: frozenset(),
    Status.CANCELLED: frozenset(),
}


class CampaignFrozen(DomainError):
    """These fields cannot change in the campaign's state: `frozen`; those in `editable` could."""

    code = "campaign_frozen"
    title = _("These fields cannot be changed in the campaign's state.")


class CampaignNotDraft(DomainError):
    """Only a draft may be deleted; a campaign that was more than that is cancelled instead."""

    code = "campaign_not_draft"
    title = _("Only a draft can be deleted.")


class CampaignFields(TypedDict):
    """A new campaign: `budget_minor` in minor units of `budget_currency` (ISO 4217), moments aware UTC."""

    name: str
    type: str
    budget_minor: int
    budget_currency: str
    description: NotRequired[str]
    starts_at: NotRequired[datetime | None]
    ends_at: NotRequired[datetime | None]
    target_audience: NotRequired[dict[str, Any] | str]


@transaction.atomic
def create(*, fields: CampaignFields, by_id: UUID | None, now: datetime) -> Campaign:
    """Make a draft, counted against the plan. Raises QuotaExceeded, ValidationFailed (`ends_at`)."""
    check_window(starts_at=fields.get("starts_at"), ends_at=fields.get("ends_at"))
    campaign = Campaign.objects.create(
        created_by_id=by_id, created_at=now, updated_at=now, **fields
    )
    with for_campaign(campaign.pk):
        ledger.consume(
            tenant_id=require_tenant().id,
            meter=Meter.CAMPAIGNS,
            quantity=1,
            key=f"campaign:{campaign.pk}",
            now=now,
        )
    return campaign


@transaction.atomic
def edit(*, campaign_id: UUID, changes: Mapping[str, Any], now: datetime) -> Campaign:
    """Apply `changes` (names as in CampaignFields). A value that stays the same is no change.

    Raises CampaignFrozen, ValidationFailed (`starts_at`, `ends_at`), NotFound.
    """
    campaign = locked(campaign_id)
    differing = {name for name, value in changes.items() if getattr(campaign, name) != value}
    _check_editable(campaign, differing)
    if not differing:
        return campaign
    for name in differing:
        setattr(campaign, name, changes[name])
    if campaign.status == Status.SCHEDULED and "starts_at" in differing:
        check_start(campaign.starts_at, now=now)
    check_window(starts_at=campaign.starts_at, ends_at=campaign.ends_at)
    campaign.updated_at = now
    campaign.save(update_fields=[*differing, "updated_at"])
    return campaign


@transaction.atomic
def remove(*, campaign_id: UUID) -> None:
    """Delete a draft; it stays counted, since the plan counts campaigns made. Raises CampaignNotDraft, NotFound."""
    campaign = locked(campaign_id)
    if campaign.status != Status.DRAFT:
        raise CampaignNotDraft(status=campaign.status)
    record(Action.CAMPAIGN_DELETED, Subject("campaign", campaign.pk, campaign.name))
    campaign.delete()


def _check_editable(campaign: Campaign, differing: set[str]) -> None:
    editable = EDITABLE[Status(campaign.status)]
    if differing - editable:
        raise CampaignFrozen(
            status=campaign.status,
            frozen=sorted(differing - editable),
            editable=sorted(editable),
        )
