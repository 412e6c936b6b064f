"""Whose the API calls are: by app and by member or key, for sharing out what they cost.

How many there are is the ledger's, to the unit (quotas/api_calls.py). Whose each was is kept beside it at the
price of one addition in memory for each request and one statement a second: a process that is killed
forgets whose the calls of its last second were, and those then fall to nobody. Which campaign a call was
for is not kept: it would be a row for each campaign and caller.
"""

import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Sum

from config.cause import Cause, cause
from config.needs import Meter
from config.quick_redis import RedisAway, quick_redis
from quotas.active import note_active
from quotas.models import ApiCallShare, UsageTotal
from quotas.verdicts import Calls

_FOLD = """
INSERT INTO public.quotas_apicallshare AS share (tenant_id, period_start, app, caller, calls)
SELECT * FROM unnest(%(tenants)s::uuid[], %(periods)s::timestamptz[], %(apps)s::text[], %(callers)s::text[],
                     %(calls)s::bigint[]) AS told (tenant_id, period_start, app, caller, calls)
 ORDER BY tenant_id, period_start, app, caller
ON CONFLICT (tenant_id, period_start, app, caller) DO UPDATE SET calls = share.calls + excluded.calls
"""


class _Place(NamedTuple):
    tenant_id: UUID
    period_start: datetime
    app: str
    caller: str


_counted: dict[_Place, int] = {}
_counting = threading.Lock()


def note(calls: Calls) -> None:
    """These calls are done, and are of whoever asks at this moment."""
    found = cause()
    place = _Place(calls.tenant_id, calls.period_start, found.app, _caller(found))
    _add({place: calls.asked})


def flush(*, now: datetime) -> int:
    """Bring the shares up to what this process has noted; how many changed. On the square."""
    with _counting:
        noted = dict(_counted)
        _counted.clear()
    if not noted:
        return 0
    try:
        _fold(noted)
    except BaseException:  # the next flush finds them again
        _add(noted)
        raise
    with suppress(RedisAway):
        people = {place.caller for place in noted}
        quick_redis().ask(lambda server: note_active(server, people, now=now))
    return len(noted)


def clear() -> None:
    """Forget what is noted and not flushed."""
    with _counting:
        _counted.clear()


def calls_by(by: str, *, tenant_id: UUID, starts_at: datetime, ends_at: datetime) -> dict[str, int]:
    """Calls of the months that began in [starts_at, ends_at), by `app`, `member` or `api_key` ("": nobody's)."""
    months = {"tenant_id": tenant_id, "period_start__gte": starts_at, "period_start__lt": ends_at}
    totals = UsageTotal.objects.filter(meter=Meter.API_CALLS.value, **months)
    all_calls = totals.aggregate(calls=Sum("used"))["calls"] or 0
    found: dict[str, int] = {}
    for share in ApiCallShare.objects.filter(**months):
        kind, _colon, caller = share.caller.partition(":")
        label = share.app if by == "app" else caller if by == kind else ""
        found[label] = found.get(label, 0) + share.calls
    # What is shared out is never more than what is counted, but for calls that are folded this second.
    found[""] = found.get("", 0) + max(0, all_calls - sum(found.values()))
    return {label: calls for label, calls in found.items() if calls}


def _caller(found: Cause) -> str:
    if found.api_key:
        return f"api_key:{found.api_key}"
    return f"member:{found.member}" if found.member else ""


def _add(noted: Mapping[_Place, int]) -> None:
    with _counting:
        for place, calls in noted.items():
            _counted[place] = _counted.get(place, 0) + calls


def _fold(noted: Mapping[_Place, int]) -> None:
    facts: dict[str, Any] = {
        "tenants": [each.tenant_id for each in noted],
        "periods": [each.period_start for each in noted],
        "apps": [each.app for each in noted],
        "callers": [each.caller for each in noted],
        "calls": list(noted.values()),
    }
    with connection.cursor() as cursor:
        cursor.execute(_FOLD, facts)


# They are the parent's to fold.
os.register_at_fork(after_in_child=_counted.clear)
