"""Events and their deliveries off the request, each harmless twice."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from tenants.mails import posting
from tenants.outbound import deliveries, emitting
from tenants.tasks import TenantTask


@shared_task(name="tenants.fan_out_event", base=TenantTask, public=True)
def fan_out_event(*, tenant_id: str, event_id: str, name: str, data: str, occurred_at: str) -> int:
    """Make a delivery for each endpoint that listens."""
    return emitting.fan_out(
        tenant_id=UUID(tenant_id),
        event_id=UUID(event_id),
        name=name,
        body=emitting.body_of(name=name, data=data, occurred_at=occurred_at),
        now=timezone.now(),
    )


@shared_task(name="tenants.deliver_webhook", base=TenantTask, public=True)
def deliver_webhook(*, delivery_id: str) -> str:
    """Make one attempt; what fails stays due."""
    return deliveries.deliver(delivery_id=UUID(delivery_id), now=timezone.now())


@shared_task(name="tenants.retry_deliveries", base=TenantTask, public=True)
def retry_deliveries() -> int:
    """Try again what is due."""
    return deliveries.retry_due(now=timezone.now())


@shared_task(name="tenants.forget_messages", base=TenantTask, public=True)
def forget_messages() -> int:
    """Forget deliveries and mails of a month ago."""
    now = timezone.now()
    return deliveries.forget_old(now=now) + posting.forget_old(now=now)
