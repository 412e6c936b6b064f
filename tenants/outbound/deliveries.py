"""Deliveries: claimed, sent outside of any transaction, and tried again for three days."""

import random
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet

from config.celery import later
from config.errors import NotFound
from config.logs import logger
from tenants import mails
from tenants.models import WebhookDelivery, WebhookEndpoint
from tenants.outbound.addresses import AddressRefused, NameServersSilent, read_url, resolve
from tenants.outbound.posting import SECONDS, SendFailed, send
from tenants.outbound.signing import headers_of

log = logger(__name__)
# Pauses before each further attempt: ten attempts within 76 hours, as Standard Webhooks suggests.
PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
)
MOST_ATTEMPTS = len(PAUSES) + 1
_LEASE = timedelta(seconds=SECONDS * 6)
_KEPT = timedelta(days=30)
_BATCH = 500
_GONE = 410
NOTICE_ROLES = ("owner", "admin")


def deliveries_of(tenant_id: UUID) -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(tenant_id=tenant_id)


def deliver(*, delivery_id: UUID, now: datetime) -> str:
    """Make one attempt if it is due, and the delivery's status then. Two workers never make the same."""
    due = WebhookDelivery.objects.filter(
        pk=delivery_id, status=WebhookDelivery.Status.PENDING, next_attempt_at__lte=now
    )
    # A worker that is killed meanwhile leaves the lease to run out: the attempt is made again.
    if not due.update(next_attempt_at=now + _LEASE, attempts=F("attempts") + 1):
        return ""
    delivery = WebhookDelivery.objects.select_related("endpoint").get(pk=delivery_id)
    if not delivery.endpoint.is_enabled:
        return _settle(delivery, status=None, error="endpoint_disabled", now=now)
    try:
        status = _attempted(delivery, now)
    except (AddressRefused, NameServersSilent, SendFailed) as failed:
        error = str(failed) or "name_servers"
        return _settle(delivery, status=None, error=error, now=now)
    return _settle(delivery, status=status, error="", now=now)


def _attempted(delivery: WebhookDelivery, now: datetime) -> int:
    target = read_url(delivery.endpoint.url)
    body = delivery.body.encode()
    headers = headers_of(delivery.endpoint, message_id=str(delivery.event_id), body=body, now=now)
    return send(target, resolve(target), body, headers)


@transaction.atomic
def _settle(delivery: WebhookDelivery, *, status: int | None, error: str, now: datetime) -> str:
    endpoint = WebhookEndpoint.objects.select_for_update().filter(pk=delivery.endpoint_id).first()
    if endpoint is None:
        return ""
    delivery.last_status, delivery.last_error = status, error
    if status is not None and 200 <= status < 300:
        delivery.status, delivery.next_attempt_at = WebhookDelivery.Status.DELIVERED, None
        delivery.delivered_at, endpoint.failing_since = now, None
    else:
        _fail(delivery, endpoint, now)
    delivery.save()
    endpoint.save(update_fields=["failing_since", "disabled_reason", "disabled_at"])
    log.info(
        "webhook.attempted",
        extra={"delivery_id": str(delivery.pk), "status": status, "error": error},
    )
    return delivery.status


def _fail(delivery: WebhookDelivery, endpoint: WebhookEndpoint, now: datetime) -> None:
    endpoint.failing_since = endpoint.failing_since or now
    is_over = delivery.attempts >= MOST_ATTEMPTS
    if delivery.last_status == _GONE:
        _disable(endpoint, WebhookEndpoint.DisabledReason.GONE, now)
    elif is_over and endpoint.failing_since <= delivery.created_at + PAUSES[0]:
        # Not one delivery has arrived in all the days in which this one was tried.
        _disable(endpoint, WebhookEndpoint.DisabledReason.FAILING, now)
    if is_over or not endpoint.is_enabled:
        delivery.status, delivery.next_attempt_at = WebhookDelivery.Status.FAILED, None
        return
    # Not all at once, when many wait for the same server to come back.
    spread = random.uniform(0.9, 1.1)  # noqa: S311 - no secret
    delivery.next_attempt_at = now + PAUSES[delivery.attempts - 1] * spread


def _disable(endpoint: WebhookEndpoint, reason: str, now: datetime) -> None:
    if not endpoint.is_enabled:
        return
    endpoint.disabled_reason, endpoint.disabled_at = reason, now
    mails.post(
        tenant_id=endpoint.tenant_id,
        roles=NOTICE_ROLES,
        kind="webhook_endpoint_disabled",
        key=f"webhook_endpoint:{endpoint.pk}:{now.isoformat()}",
        facts={"url": endpoint.url, "reason": reason},
    )
    log.warning("webhook_endpoint.disabled", extra={"endpoint_id": str(endpoint.pk)})


@transaction.atomic
def retry_due(*, now: datetime) -> int:
    """Promise an attempt of whatever is due; how many that were."""
    due = WebhookDelivery.objects.filter(
        status=WebhookDelivery.Status.PENDING, next_attempt_at__lte=now
    )
    found = list(due.order_by("next_attempt_at").values_list("pk", flat=True)[:_BATCH])
    for delivery_id in found:
        later("tenants.deliver_webhook", delivery_id=str(delivery_id))
    return len(found)


@transaction.atomic
def redeliver(*, tenant_id: UUID, delivery_id: UUID, now: datetime) -> WebhookDelivery:
    """Send it once more, under the same id, as if it had just come. Raises NotFound."""
    row = deliveries_of(tenant_id).select_for_update().filter(pk=delivery_id).first()
    if row is None:
        raise NotFound()
    row.status, row.attempts, row.next_attempt_at = WebhookDelivery.Status.PENDING, 0, now
    row.delivered_at, row.last_status, row.last_error = None, None, ""
    row.save()
    later("tenants.deliver_webhook", delivery_id=str(row.pk))
    return row


def forget_old(*, now: datetime) -> int:
    """Deliveries of a month ago; how many that were."""
    return WebhookDelivery.objects.filter(created_at__lte=now - _KEPT).delete()[0]
