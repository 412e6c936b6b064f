"""How many people and keys are at work: distinct callers by the hour, in 12 KiB of Redis for each (HyperLogLog).

It is a number for dashboards, not for bills: lost with Redis, and right to within 1 %.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import redis

HOURS = 24
_KEPT = timedelta(hours=HOURS + 2)


def note_active(server: redis.Redis, callers: Iterable[str], *, now: datetime) -> None:
    """These callers asked for something at `now`."""
    named = [caller for caller in callers if caller]
    if named:
        pipe = server.pipeline(transaction=False)
        pipe.pfadd(_key(now), *named)
        pipe.expire(_key(now), _KEPT)
        pipe.execute()


def active_people(server: redis.Redis, *, now: datetime) -> int:
    """How many different callers there were in this hour and the 23 before."""
    return int(server.pfcount(*(_key(now - timedelta(hours=back)) for back in range(HOURS))))


def _key(moment: datetime) -> str:
    return f"plaza:active:{moment:%Y%m%d%H}"
