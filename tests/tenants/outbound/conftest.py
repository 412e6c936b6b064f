"""An endpoint of acme's at a sink of this machine, and events that reach it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from config.models import OutboxMessage
from tenants.isolation import square_context
from tenants.models import WebhookDelivery
from tenants.outbound import emit, emitting
from tests.tenants.outbound.sink import Sink

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
EVENT = "usage.threshold_reached"


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    settings.PLAZA_WEBHOOKS_TO_LOOPBACK = True
    with Sink() as running:
        yield running


@pytest.fixture
def emitted() -> Callable[..., list[WebhookDelivery]]:
    """`emitted(tenant, percent=80)`: emit, and fan out what the outbox then holds; the deliveries."""

    def told(tenant: Any, name: str = EVENT, **data: Any) -> list[WebhookDelivery]:
        with square_context():
            event_id = emit(tenant.pk, name, data, now=NOON)
            message = OutboxMessage.objects.get(arguments__event_id=str(event_id))
            promised = dict(message.arguments)
            emitting.fan_out(
                tenant_id=tenant.pk,
                event_id=event_id,
                name=promised["name"],
                body=emitting.body_of(
                    name=promised["name"],
                    data=promised["data"],
                    occurred_at=promised["occurred_at"],
                ),
                now=NOON,
            )
        return list(WebhookDelivery.objects.filter(event_id=event_id).order_by("pk"))

    return told
