"""What a campaign that becomes active does for its letter: it is promised to be sent."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import F
from django.db.models.functions import Coalesce

from apps.campaigns.models import Campaign, Mailing
from apps.campaigns.services.mailing.audience import audience_of
from config.celery import later


def check(campaign: Campaign) -> None:
    """Raise ValidationFailed where a letter has nobody that it could be for."""
    if Mailing.objects.filter(pk=campaign.pk).exists():
        audience_of(campaign.target_audience)


def begin(campaign_ids: Collection[UUID], *, now: datetime) -> None:
    """Send the letters of those campaigns that have one, or go on sending them."""
    mailings = Mailing.objects.filter(pk__in=campaign_ids, finished_at=None)
    found = list(mailings.values_list("pk", flat=True))
    if not found:
        return
    Mailing.objects.filter(pk__in=found).update(
        begun_at=Coalesce(F("begun_at"), now), heartbeat_at=now
    )
    for campaign_id in found:
        later("campaigns.send_letters", campaign_id=str(campaign_id))
