"""What billing does off the request. All of it is the square's, and harmless twice."""

from datetime import datetime
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from billing import signup
from billing.providers.base import ProviderDown
from billing.services import offboarding, scaling, subscriptions, trails, webhooks
from tenants.tasks import TenantTask


@shared_task(name="billing.handle_webhook", base=TenantTask, public=True)
def handle_webhook(*, event_id: str) -> str:
    """Handle one event of the inbox; a failure is kept there and tried again."""
    return webhooks.handle(event_id=UUID(event_id), now=timezone.now())


@shared_task(name="billing.retry_webhooks", base=TenantTask, public=True)
def retry_webhooks() -> int:
    """Try the inbox's due events again."""
    return webhooks.retry_due(now=timezone.now())


@shared_task(name="billing.finish_sign_up", base=TenantTask, public=True)
def finish_sign_up(*, tenant_id: str) -> None:
    """Finish one sign-up that was cut off."""
    signup.finish(tenant_id=UUID(tenant_id))


@shared_task(name="billing.finish_sign_ups", base=TenantTask, public=True)
def finish_sign_ups() -> int:
    """Look for sign-ups that were cut off."""
    return signup.resume_cut_off(now=timezone.now())


@shared_task(name="billing.expire_trials", base=TenantTask, public=True)
def expire_trials() -> int:
    """End what has run out: trials that nobody paid for, and the grace of those who are overdue."""
    now = timezone.now()
    return subscriptions.expire_trials(now=now) + subscriptions.hold_overdue(now=now)


@shared_task(
    name="billing.end_charges",
    base=TenantTask,
    public=True,
    autoretry_for=(ProviderDown,),
    retry_backoff=True,
    max_retries=8,
)
def end_charges(*, tenant_id: str) -> None:
    """End what was paid for a tenant that is closed. A later webhook of it promises this again."""
    offboarding.end_charges(tenant_id=UUID(tenant_id), now=timezone.now())


@shared_task(name="billing.tenant_scaled", base=TenantTask, public=True)
def tenant_scaled(
    *,
    tenant_id: str,
    scaled_at: str,
    statement_timeout_ms: int | None,
    connection_share: int | None,
    worker_slots: int | None,
    storage_limit_bytes: int | None,
) -> None:
    """Keep what a tenant's shares were changed to by hand."""
    scaling.record(
        tenant_id=UUID(tenant_id),
        scaled_at=datetime.fromisoformat(scaled_at),
        shares={
            "statement_timeout_ms": statement_timeout_ms,
            "connection_share": connection_share,
            "worker_slots": worker_slots,
            "storage_limit_bytes": storage_limit_bytes,
        },
    )


@shared_task(name="billing.prune_trails", base=TenantTask, public=True)
def prune_trails() -> int:
    """Let go of the months of audit trails that the tenants' plans keep no longer."""
    return trails.prune_trails(now=timezone.now())


@shared_task(name="billing.erase_closed", base=TenantTask, public=True)
def erase_closed() -> int:
    """Erase the tenants whose window has ended, and go on with erasures that were cut off."""
    return offboarding.erase_due(now=timezone.now())
