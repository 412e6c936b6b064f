"""Attempts counted in PostgreSQL: exact for any number at once, and still known when Redis is away or empty."""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from tenants.models import AttemptCount

# The limit is compared inside the statement: two attempts that both saw one left would both take it.
_COUNT = """
INSERT INTO public.tenants_attemptcount AS known (key, count, ends_at)
VALUES (%(key)s, 1, %(ends_at)s)
ON CONFLICT (key) DO UPDATE
   SET count = CASE WHEN known.ends_at <= %(now)s THEN 1 ELSE known.count + 1 END,
       ends_at = CASE WHEN known.ends_at <= %(now)s THEN excluded.ends_at ELSE known.ends_at END
 WHERE known.ends_at <= %(now)s OR known.count < %(limit)s
RETURNING known.count
"""
_KEPT_AFTER = timedelta(hours=1)


def count(*, key: str, limit: int, seconds: int, now: datetime) -> int | None:
    """Count one attempt of `key`: None where it passes, else the seconds until the next one may.

    At most `limit` pass in `seconds` from the first one on; one that is refused writes nothing. On the
    square, and outside a transaction that may be rolled back.
    """
    facts: dict[str, Any] = {
        "key": key,
        "limit": limit,
        "now": now,
        "ends_at": now + timedelta(seconds=seconds),
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, facts)
        if cursor.fetchone() is not None:
            return None
    ends_at = AttemptCount.objects.filter(pk=key).values_list("ends_at", flat=True).first()
    return 1 if ends_at is None else max(1, -(-(ends_at - now) // timedelta(seconds=1)))


def forget(*, now: datetime) -> int:
    """Let go of windows that ended; how many they were."""
    return AttemptCount.objects.filter(ends_at__lt=now - _KEPT_AFTER).delete()[0]
