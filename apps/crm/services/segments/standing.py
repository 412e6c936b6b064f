"""What waits in a tenant's segments, and would wait for ever if a message was lost."""

from datetime import datetime

from django.db import connection

from config.celery import later

_WAITS = """
SELECT EXISTS (SELECT FROM crm_segmentchange),
       EXISTS (SELECT FROM crm_segment WHERE filled_at IS NOT NULL AND looked_on < %s)
"""


def promise_what_waits(*, now: datetime) -> bool:
    """Promise a look where changes wait, or where a day has turned for relative dates. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITS, [now.date()])
        waits = any(cursor.fetchone())
    if waits:
        later("crm.refresh_segments")
    return waits
