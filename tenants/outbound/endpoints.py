"""The addresses at which a tenant hears of its events: registered, changed, rotated, given up."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.errors import DomainError, NotFound, ValidationFailed
from config.logs import logger
from tenants.models import Tenant, WebhookEndpoint
from tenants.outbound.addresses import check_url
from tenants.outbound.events import known_events
from tenants.outbound.signing import new_secret
from tenants.trail.actions import Action
from tenants.trail.recording import NOTHING, Change, Subject, record
from tenants.vault.sealing import open_of, seal_for

log = logger(__name__)
MOST_ENDPOINTS = 10
FORMER_SECRET_SIGNS = timedelta(hours=24)


class TooManyWebhookEndpoints(DomainError):
    """A tenant has as many endpoints as it may have; remove one first. `limit` says how many."""

    code = "too_many_webhook_endpoints"
    status = 409
    title = gettext_lazy("No more webhook endpoints can be added.")


def endpoints_of(tenant_id: UUID) -> QuerySet[WebhookEndpoint]:
    return WebhookEndpoint.objects.filter(tenant_id=tenant_id)


def endpoint_of(*, tenant_id: UUID, endpoint_id: UUID) -> WebhookEndpoint:
    """Raises NotFound."""
    found = endpoints_of(tenant_id).filter(pk=endpoint_id).first()
    if found is None:
        raise NotFound()
    return found


@transaction.atomic
def add(
    *, tenant_id: UUID, url: str, events: Sequence[str], description: str = "", now: datetime
) -> tuple[WebhookEndpoint, str]:
    """Register an address; the endpoint, and its secret, which is shown this once.

    Raises ValidationFailed, TooManyWebhookEndpoints.
    """
    check_url(url)
    chosen = _checked(events)
    # Two at once wait here, so that neither counts without the other.
    Tenant.objects.select_for_update().get(pk=tenant_id)
    if endpoints_of(tenant_id).count() >= MOST_ENDPOINTS:
        raise TooManyWebhookEndpoints(limit=MOST_ENDPOINTS)
    secret = new_secret()
    made = WebhookEndpoint(
        tenant_id=tenant_id, url=url, events=chosen, description=description, created_at=now
    )
    made.sealed_secret = seal_for(made, "sealed_secret", secret)
    made.save(force_insert=True)
    _record(Action.WEBHOOK_CREATED, made, Change(after=_told(made)))
    log.info("webhook_endpoint.added", extra={"endpoint_id": str(made.pk)})
    return made, secret


@transaction.atomic
def change(
    *, tenant_id: UUID, endpoint_id: UUID, wish: dict[str, Any], now: datetime
) -> WebhookEndpoint:
    """Change url, events, description or is_enabled. Enabled again, it starts with a clean record.

    Raises NotFound, ValidationFailed.
    """
    row = _locked(tenant_id, endpoint_id)
    before = _told(row)
    if "url" in wish:
        row.url = check_url(wish["url"])
    if "events" in wish:
        row.events = _checked(wish["events"])
    row.description = wish.get("description", row.description)
    if wish.get("is_enabled") is True:
        row.disabled_reason, row.disabled_at, row.failing_since = "", None, None
    elif wish.get("is_enabled") is False and row.is_enabled:
        row.disabled_reason, row.disabled_at = WebhookEndpoint.DisabledReason.BY_HAND, now
    row.save()
    _record(Action.WEBHOOK_CHANGED, row, Change(before, _told(row)))
    return row


@transaction.atomic
def rotate(*, tenant_id: UUID, endpoint_id: UUID, now: datetime) -> tuple[WebhookEndpoint, str]:
    """A new secret, shown this once; for a day the former one signs as well. Raises NotFound."""
    row = _locked(tenant_id, endpoint_id)
    secret = new_secret()
    former = open_of(row, "sealed_secret")
    row.sealed_former_secret = seal_for(row, "sealed_former_secret", former)
    row.former_secret_until = now + FORMER_SECRET_SIGNS
    row.sealed_secret = seal_for(row, "sealed_secret", secret)
    row.save()
    _record(Action.WEBHOOK_ROTATED, row)
    log.info("webhook_endpoint.rotated", extra={"endpoint_id": str(row.pk)})
    return row, secret


@transaction.atomic
def remove(*, tenant_id: UUID, endpoint_id: UUID) -> None:
    """Give it up, with all its deliveries. Raises NotFound."""
    row = _locked(tenant_id, endpoint_id)
    _record(Action.WEBHOOK_DELETED, row, Change(before=_told(row)))
    row.delete()
    log.info("webhook_endpoint.removed", extra={"endpoint_id": str(endpoint_id)})


def _locked(tenant_id: UUID, endpoint_id: UUID) -> WebhookEndpoint:
    found = endpoints_of(tenant_id).select_for_update().filter(pk=endpoint_id).first()
    if found is None:
        raise NotFound()
    return found


def _told(row: WebhookEndpoint) -> dict[str, Any]:
    return {"url": row.url, "events": row.events, "disabled_reason": str(row.disabled_reason)}


def _record(action: Action, row: WebhookEndpoint, change: Change = NOTHING) -> None:
    record(action, Subject("webhook_endpoint", row.pk), change, tenant_id=row.tenant_id)


def _checked(events: Sequence[str]) -> list[str]:
    unknown = sorted(set(events) - set(known_events()))
    if unknown:
        told = {"names": ", ".join(known_events())}
        raise ValidationFailed(errors={"events": [_("Some of: %(names)s.") % told]})
    return sorted(set(events))
