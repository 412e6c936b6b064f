"""The ground's measures: Celery's queues as Redis keeps them, and what was promised and not handed over."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from uuid import UUID

import redis
from django.conf import settings

from config.celery import app
from config.measuring import Reading, measure, seconds_since
from config.models import OutboxMessage

_TIMEOUT_SECONDS = 1.0


@measure("plaza_queue_depth", "Messages that wait for a worker.", labels=("queue",))
def queue_depth(now: datetime) -> Iterator[Reading]:
    for name, broker in _queues():
        yield (name,), float(broker.llen(_key(name)))


@measure(
    "plaza_queue_oldest_seconds",
    "How long the next message has waited; 0 for one of the clock's, whose id tells no time.",
    labels=("queue",),
)
def queue_age(now: datetime) -> Iterator[Reading]:
    for name, broker in _queues():
        messages = broker.lrange(_key(name), -1, -1)
        promised_at = _promised_at(messages[0]) if messages else None
        yield (name,), seconds_since(promised_at, now)


@measure("plaza_outbox_messages", "Promised tasks that the broker has not got.")
def outbox_messages(now: datetime) -> Iterator[Reading]:
    yield (), float(OutboxMessage.objects.filter(created_at__lte=now).count())


@measure("plaza_outbox_oldest_seconds", "Age of the oldest of them.")
def outbox_age(now: datetime) -> Iterator[Reading]:
    oldest = OutboxMessage.objects.order_by("created_at").values_list("created_at", flat=True)
    yield (), seconds_since(oldest.first(), now)


def _queues() -> Iterator[tuple[str, "redis.Redis"]]:
    """Each queue's name and where it is; none where the broker is no Redis: RabbitMQ tells its own."""
    if not settings.CELERY_BROKER_URL.startswith(("redis:", "rediss:")):
        return
    routed = {str(route["queue"]) for route in app.conf.task_routes.values()}
    broker = redis.Redis.from_url(
        settings.CELERY_BROKER_URL,
        socket_timeout=_TIMEOUT_SECONDS,
        socket_connect_timeout=_TIMEOUT_SECONDS,
    )
    with closing(broker):
        for name in sorted(routed | {str(app.conf.task_default_queue)}):
            yield name, broker


def _key(queue: str) -> str:
    return f"{app.conf.broker_transport_options['global_keyprefix']}{queue}"


def _promised_at(message: bytes | str) -> datetime | None:
    """`later()` names its messages by UUIDv7, which begins with the milliseconds of its moment."""
    try:
        found = UUID(json.loads(message)["headers"]["id"])
    except (KeyError, TypeError, ValueError):
        return None
    return datetime.fromtimestamp((found.int >> 80) / 1000, UTC) if found.version == 7 else None
