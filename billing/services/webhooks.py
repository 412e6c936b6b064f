"""The inbox: handle each kept event, try again, replay. How it is kept is in inbox.py."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing import providers
from billing.models import WebhookEvent
from billing.providers.base import VerifiedEvent
from billing.services import collecting, offboarding, transactions
from billing.services.entrusting import promise_carry, promise_entrusting
from billing.services.inbox import PATIENCE, keep
from billing.services.subscriptions import sync_from_provider
from config.celery import later
from config.errors import DomainError, NotFound
from config.logs import logger

__all__ = ["HANDLERS", "handle", "keep", "replay", "retry_due"]
log = logger(__name__)
_BATCH = 200


def _sync(event: WebhookEvent, now: datetime) -> UUID | None:
    """The event only says that something changed: what, the provider is asked. None if not ours."""
    if not event.subscription_ref:
        return None
    tenant_id = sync_from_provider(
        provider=event.provider, subscription_id=event.subscription_ref, now=now
    )
    if tenant_id is not None:
        promise_entrusting(tenant_id=tenant_id, now=now)
        if offboarding.is_charged_in_vain(tenant_id):
            later("billing.end_charges", tenant_id=str(tenant_id))
    return tenant_id


def _money(event: WebhookEvent, now: datetime) -> UUID | None:
    """Money moved, or did not: the payment that the event speaks of is read anew, with what became of it."""
    told = VerifiedEvent(
        event.provider, event.provider_event_id, event.kind, event.subscription_ref, event.payload
    )
    gateway = providers.gateway(event.provider)
    tenants = transactions.take_over(gateway.concerned(told), now=now)
    for tenant_id in tenants:
        promise_carry(tenant_id=tenant_id, now=now)
    return next(iter(tenants), None)


def _sync_and_money(event: WebhookEvent, now: datetime) -> UUID | None:
    """A payment for a subscription: whose it is, is known after the subscription is."""
    tenant_id = _sync(event, now)
    return _money(event, now) or tenant_id


def _declined(event: WebhookEvent, now: datetime) -> UUID | None:
    """The provider could not collect by itself, or the buyer's page could not."""
    tenant_id = _sync(event, now)
    told = VerifiedEvent(
        event.provider, event.provider_event_id, event.kind, event.subscription_ref, event.payload
    )
    if tenant_id and providers.gateway(event.provider).declined(told):
        collecting.declined(tenant_id=tenant_id, reason="", now=now)
    return tenant_id


Handler = Callable[[WebhookEvent, datetime], UUID | None]
# A kind that is not here is kept as ignored.
HANDLERS: dict[tuple[str, str], Handler] = {
    ("stripe", "checkout.session.completed"): _sync,
    ("stripe", "customer.subscription.created"): _sync,
    ("stripe", "customer.subscription.updated"): _sync,
    ("stripe", "customer.subscription.deleted"): _sync,
    ("stripe", "customer.subscription.paused"): _sync,
    ("stripe", "customer.subscription.resumed"): _sync,
    ("stripe", "invoice.paid"): _sync_and_money,
    ("stripe", "invoice.payment_failed"): _declined,
    ("stripe", "charge.refunded"): _money,
    ("stripe", "refund.created"): _money,
    ("stripe", "refund.updated"): _money,
    ("stripe", "refund.failed"): _money,
    ("stripe", "charge.dispute.created"): _money,
    ("stripe", "charge.dispute.updated"): _money,
    ("stripe", "charge.dispute.funds_withdrawn"): _money,
    ("stripe", "charge.dispute.funds_reinstated"): _money,
    ("stripe", "charge.dispute.closed"): _money,
    ("paypal", "PAYMENT.CAPTURE.COMPLETED"): _sync_and_money,
    ("paypal", "PAYMENT.CAPTURE.REFUNDED"): _money,
    ("paypal", "PAYMENT.SALE.DENIED"): _declined,
    ("paypal", "BILLING.SUBSCRIPTION.ACTIVATED"): _sync,
    ("paypal", "BILLING.SUBSCRIPTION.UPDATED"): _sync,
    ("paypal", "BILLING.SUBSCRIPTION.SUSPENDED"): _sync,
    ("paypal", "BILLING.SUBSCRIPTION.CANCELLED"): _sync,
    ("paypal", "BILLING.SUBSCRIPTION.EXPIRED"): _sync,
    ("paypal", "BILLING.SUBSCRIPTION.RE-ACTIVATED"): _sync,
    ("paypal", "BILLING.SUBSCRIPTION.PAYMENT.FAILED"): _declined,
    ("paypal", "PAYMENT.SALE.COMPLETED"): _sync_and_money,
}


@transaction.atomic
def handle(*, event_id: UUID, now: datetime) -> str:
    """Handle one event under its row's lock, so that two workers never do; its status afterwards.

    A failure is kept on the row and tried again (`retry_due`); it does not raise.
    """
    event = WebhookEvent.objects.select_for_update().get(pk=event_id)
    if event.status in WebhookEvent.SETTLED:
        return event.status
    handler = HANDLERS.get((event.provider, event.kind))
    if handler is None:
        event.settle(WebhookEvent.Status.IGNORED, tenant_id=None, now=now)
        return event.status
    try:
        with transaction.atomic():
            tenant_id = handler(event, now)
    except DomainError as refusal:
        log.warning("webhook.deferred", extra={"event_id": str(event_id), "reason": refusal.code})
        event.fail(refusal.code, now=now)
    except Exception as error:  # whatever it was: kept, shown in the console, tried again
        log.exception("webhook.failed", extra={"event_id": str(event_id), "kind": event.kind})
        event.fail(f"{type(error).__name__}: {error}", now=now)
    else:
        status = WebhookEvent.Status.DONE if tenant_id else WebhookEvent.Status.IGNORED
        event.settle(status, tenant_id=tenant_id, now=now)
    return event.status


@transaction.atomic
def retry_due(*, now: datetime) -> int:
    """Promise again what failed, or was promised and not handled; how many that were."""
    due = WebhookEvent.objects.due(now).order_by("next_attempt_at")
    events = list(due.select_for_update(skip_locked=True)[:_BATCH])
    for event in events:
        event.next_attempt_at = now + PATIENCE
        event.save(update_fields=["next_attempt_at"])
        later("billing.handle_webhook", event_id=str(event.pk))
    return len(events)


@transaction.atomic
def replay(*, event_id: UUID, now: datetime) -> WebhookEvent:
    """Handle the event once more, as if it had just come. Raises NotFound."""
    event = WebhookEvent.objects.select_for_update().filter(pk=event_id).first()
    if event is None:
        raise NotFound()
    event.status, event.attempts, event.error = WebhookEvent.Status.RECEIVED, 0, ""
    event.handled_at, event.next_attempt_at = None, now + PATIENCE
    event.save()
    later("billing.handle_webhook", event_id=str(event.pk))
    return event
