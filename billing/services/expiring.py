"""Wishes that no buyer consented to in time: the provider is asked once more, then they are called off."""

from datetime import datetime

from django.db import transaction

from billing.models import Subscription, SubscriptionChange
from billing.providers.base import ProviderDown
from billing.services.finding import subscription_of
from billing.services.subscriptions import sync_from_provider
from billing.services.wishes import settle_change
from config.logs import logger

log = logger(__name__)
_BATCH = 200


def expire_consents(*, now: datetime) -> int:
    """Call off what ran out; how many that were. While the provider is down they wait: it may have the consent."""
    due = SubscriptionChange.objects.filter(status="pending", expires_at__lte=now)
    rows = Subscription.objects.filter(changes__in=due).order_by("pk")[:_BATCH]
    return sum(_expire(row, now) for row in list(rows))


def _expire(row: Subscription, now: datetime) -> bool:
    try:
        sync_from_provider(
            provider=row.provider, subscription_id=row.provider_subscription_id, now=now
        )
    except ProviderDown:
        return False
    return _call_off(row, now)


@transaction.atomic
def _call_off(row: Subscription, now: datetime) -> bool:
    held = subscription_of(row.tenant_id, for_update=True)
    if not held.changes.filter(status="pending", expires_at__lte=now).exists():
        return False
    settle_change(held, to=SubscriptionChange.Status.CALLED_OFF, now=now)
    held.save()
    log.info("consent.expired", extra={"tenant_id": str(row.tenant_id)})
    return True
