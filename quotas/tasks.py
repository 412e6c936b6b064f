"""The gate's housekeeping."""

from celery import shared_task
from django.utils import timezone

from quotas import api_calls, storage
from tenants.tasks import TenantTask


@shared_task(name="quotas.flush_api_calls", base=TenantTask, public=True)
def flush_api_calls() -> int:
    """Fold Redis's API calls into the ledger; a second run finds nothing to do."""
    return api_calls.flush(now=timezone.now())


@shared_task(name="quotas.measure_storage", base=TenantTask, public=True)
def measure_storage() -> int:
    """Read how much room each tenant's tables take."""
    return storage.measure()
