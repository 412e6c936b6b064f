"""Telling an event: promised with the work it tells of, then a delivery for each endpoint that listens."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from config.celery import later
from config.ids import new_id
from tenants.models import Tenant, WebhookDelivery, WebhookEndpoint
from tenants.outbound.events import known_events

_LONGEST_BODY = 20_000


def emit(tenant_id: UUID, name: str, data: Mapping[str, Any], *, now: datetime) -> UUID:
    """Tell the tenant's endpoints of `name` after this transaction commits; the event's id.

    `data` is what JSON can say, without secrets. One statement, from any place. Raises KeyError for
    an event that no package declares, ValueError for data of more than 20,000 bytes.
    """
    known_events()[name]
    event_id, written = new_id(), json.dumps(data, allow_nan=False)
    if len(written) > _LONGEST_BODY:
        raise ValueError(f"{name}: {len(written)} bytes of data; send ids instead.")
    later(
        "tenants.fan_out_event",
        tenant_id=str(tenant_id),
        event_id=str(event_id),
        name=name,
        data=written,
        occurred_at=_moment(now),
    )
    return event_id


@transaction.atomic
def fan_out(*, tenant_id: UUID, event_id: UUID, name: str, body: str, now: datetime) -> int:
    """A delivery for each endpoint that listens to `name`; how many are new. Harmless twice."""
    if not Tenant.objects.filter(pk=tenant_id).exclude(status=Tenant.Status.CLOSED).exists():
        return 0
    listening = WebhookEndpoint.objects.filter(
        tenant_id=tenant_id, disabled_at=None, events__contains=[name]
    )
    made = [
        WebhookDelivery(
            tenant_id=tenant_id,
            endpoint_id=endpoint_id,
            event_id=event_id,
            event=name,
            body=body,
            next_attempt_at=now,
            created_at=now,
        )
        for endpoint_id in listening.order_by("pk").values_list("pk", flat=True)
    ]
    WebhookDelivery.objects.bulk_create(made, ignore_conflicts=True)
    wanted = [delivery.pk for delivery in made]
    new = WebhookDelivery.objects.filter(pk__in=wanted).values_list("pk", flat=True)
    for delivery_id in new:
        later("tenants.deliver_webhook", delivery_id=str(delivery_id))
    return len(new)


def body_of(*, name: str, data: str, occurred_at: str) -> str:
    """The body as it is signed and sent: `{"type", "timestamp", "data"}`."""
    told = {"type": name, "timestamp": occurred_at, "data": json.loads(data)}
    return json.dumps(told, separators=(",", ":"))


def _moment(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
