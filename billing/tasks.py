"""What billing does off the request. All of it is the square's, and harmless twice."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from billing import signup
from billing.services import subscriptions, webhooks
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
