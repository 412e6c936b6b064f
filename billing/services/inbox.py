"""The inbox's keeping: each event in once, for ever; its months made ahead, and dropped when they are old."""

import hashlib
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import connection, transaction

from billing.models import WebhookEvent
from billing.providers.base import VerifiedEvent
from config.celery import later
from config.ids import new_id
from config.logs import logger
from config.months import MonthlyTable, make_months, months_before
from tenants.engine.owner import owner_connection

log = logger(__name__)
EVENTS = MonthlyTable("billing_webhookevent", "received_at")
# How long a first, or a second, attempt may take before the sweeper asks for another.
PATIENCE = timedelta(seconds=60)
_LOCK_PATIENCE = "SET LOCAL lock_timeout = '5s'"
# The key decides, not the event: the event may be in any month, or dropped long ago.
_CLAIM = """
INSERT INTO public.billing_webhookkey (digest, event_id, received_at) VALUES (%s, %s, %s)
ON CONFLICT (digest) DO NOTHING
"""
_UNSETTLED = "SELECT count(*) FROM public.{part} WHERE handled_at IS NULL"


def digest_of(provider: str, provider_event_id: str) -> UUID:
    """The key of an event: of its provider and its id there."""
    named = f"{provider}\x1f{provider_event_id}".encode()
    return UUID(hashlib.sha256(named).hexdigest()[:32])


@transaction.atomic
def keep(event: VerifiedEvent, *, now: datetime) -> bool:
    """Store the event and promise its handling; False when it was stored before."""
    event_id = new_id()
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [digest_of(event.provider, event.id), event_id, now])
        if cursor.rowcount == 0:
            return False
    WebhookEvent.objects.create(
        id=event_id,
        provider=event.provider,
        provider_event_id=event.id,
        kind=event.kind,
        subscription_ref=event.subscription_ref,
        payload=event.payload,
        received_at=now,
        next_attempt_at=now + PATIENCE,
    )
    later("billing.handle_webhook", event_id=str(event_id))
    return True


def keep_months(*, now: datetime) -> tuple[list[str], list[str]]:
    """Make the months ahead and drop those older than WEBHOOK_RETENTION_DAYS; (made, dropped).

    The owner's work, harmless twice. A month in which an event still waits to be handled stays, and is
    told; one that is in use for longer than 5 s is left for the next time. Keys stay for ever.
    """
    before = now - timedelta(days=settings.WEBHOOK_RETENTION_DAYS)
    with owner_connection() as owner:
        with owner.transaction(), owner.cursor() as cursor:
            cursor.execute(_LOCK_PATIENCE)
            made = make_months(cursor, EVENTS, now=now)
        with owner.cursor() as cursor:
            parts = months_before(cursor, EVENTS, before)
        dropped = [part for part in parts if _drop(owner, part)]
    if made or dropped:
        log.info("inbox.months_kept", extra={"made": made, "dropped": dropped})
    return made, dropped


def _drop(owner: psycopg.Connection[tuple[Any, ...]], part: str) -> bool:
    with owner.transaction(), owner.cursor() as cursor:
        cursor.execute(_LOCK_PATIENCE)
        cursor.execute(f"LOCK TABLE public.{part} IN ACCESS EXCLUSIVE MODE".encode())
        cursor.execute(_UNSETTLED.format(part=part).encode())
        row = cursor.fetchone()
        if waiting := row[0] if row else 0:
            log.warning("inbox.month_waits", extra={"part": part, "events": waiting})
            return False
        cursor.execute(f"DROP TABLE public.{part}".encode())
    return True
