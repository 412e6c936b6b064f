"""The gate's housekeeping. API calls are folded by the processes that count them (quotas/flusher.py)."""

from celery import shared_task
from django.utils import timezone

from quotas import api_calls, explanations, retention, storage
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
