"""The gate's housekeeping. API calls are folded by the processes that count them (quotas/flusher.py)."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from config.needs import Meter
from quotas import api_calls, explanations, reserving, retention, storage
from tenants.tasks import TenantTask


@shared_task(name="quotas.tidy", base=TenantTask, public=True)
def tidy() -> int:
    """Let go of explanations and marks that are too old."""
    now = timezone.now()
    return explanations.forget(now=now) + api_calls.forget_marks(now=now)


@shared_task(name="quotas.keep_months", base=TenantTask, public=True)
def keep_months() -> None:
    """Make the ledger's months ahead and drop the old ones; a second run finds nothing to do."""
    retention.keep_months(now=timezone.now())


@shared_task(name="quotas.measure_storage", base=TenantTask, public=True)
def measure_storage() -> int:
    """Read how much room each tenant's tables take."""
    return storage.measure()


@shared_task(name="quotas.give_back", base=TenantTask, public=True)
def give_back(*, tenant_id: str, meter: str, quantity: int, key: str) -> None:
    """End the lease of units that nobody kept: whoever took them is gone."""
    reserving.give_back(
        tenant_id=UUID(tenant_id),
        meter=Meter(meter),
        quantity=quantity,
        key=key,
        now=timezone.now(),
    )
