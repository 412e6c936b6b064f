"""`later()`: nothing before the commit, nothing after a rollback, nothing lost while the broker is away."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from kombu import pools

from config.celery import app as celery_app
from config.celery import later
from config.context import bound_request_id
from config.messages import REQUEST_HEADER, TENANT_HEADER
from config.models import OutboxMessage
from config.tasks import resend_outbox
from tenants.isolation import on_square, tenant_context

QUEUE = "plaza:plaza"


def queued() -> list[dict]:
    client = redis.Redis.from_url(settings.REDIS_URL)
    messages = [json.loads(raw) for raw in client.lrange(QUEUE, 0, -1)]
    client.close()
    return messages


def use_broker(url: str) -> None:
    app: Any = celery_app
    app.conf.broker_url = url
    app.conf.broker_read_url = app.conf.broker_write_url = url
    app._pool = None
    app.amqp._producer_pool = None
    pools.reset()


@pytest.fixture
def broker() -> Iterator[None]:
    """This worker's own Redis as the broker; the tests' settings moved it after Celery's start."""
    before = celery_app.conf.broker_url
    use_broker(settings.REDIS_URL)
    yield
    use_broker(before)


@pytest.mark.django_db(transaction=True)
def test_a_promise_is_sent_after_the_commit_with_tenant_and_request(acme, broker):
    with tenant_context(acme), on_square(), bound_request_id("trace-1234"), transaction.atomic():
        later("tests.whose", contact_id="7")
        assert (queued(), OutboxMessage.objects.count()) == ([], 1)

    (message,) = queued()
    assert {name: message["headers"][name] for name in ("task", TENANT_HEADER, REQUEST_HEADER)} == {
        "task": "tests.whose",
        TENANT_HEADER: str(acme.id),
        REQUEST_HEADER: "trace-1234",
    }
    assert OutboxMessage.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_promise_is_never_sent(broker):
    with transaction.atomic():
        later("tests.whose")
        transaction.set_rollback(True)

    assert (queued(), OutboxMessage.objects.count()) == ([], 0)


@pytest.mark.django_db(transaction=True)
def test_a_promise_outlives_a_broker_that_is_away(broker):
    use_broker("redis://127.0.0.1:1/0")
    with transaction.atomic():
        later("tests.whose_public", contact_id="7")
        later("tests.whose_public", lossy=True)
    waiting = OutboxMessage.objects.get()
    assert resend_outbox() == 0, "a fresh row is left to its own sender"

    OutboxMessage.objects.update(created_at=timezone.now() - timedelta(seconds=11))
    assert resend_outbox() == 0, "the broker is still away"
    use_broker(settings.REDIS_URL)
    assert resend_outbox() == 1

    assert [message["headers"]["id"] for message in queued()] == [str(waiting.pk)]
    assert OutboxMessage.objects.count() == 0
