"""Which thresholds of a limit are reached, and which of them are news. Arithmetic alone.

- A threshold of `percent` is reached with the first unit at or above that part of the limit.
- It is told once in a period. Under a raised limit it may be told once more, if its number of units
  lies above every number that was told in this period: who knows of 100 units used hears nothing of
  "50 % of 200", but does of "80 % of 200". A lowered limit tells only what was never told.
- Of several reached at once the highest is told, and the others count as told.
- Of a limit below 10 only the last unit is told, and what a tenant asks for: two seats, one of them
  taken, are no news.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

PERCENTS = (50, 80, 90, 100)
# Below this a threshold can be quiet: there is time, or nothing to fear.
LEAST_URGENT = 90
_MOST_QUIET_RATIO = 5
_LEAST_LIMIT_OF_PARTS = 10


class Told(NamedTuple):
    """One telling of this period: at which percent of which limit, and how much was used then."""

    percent: int
    limit: int
    used: int


def units_at(limit: int, percent: int) -> int:
    """The number of units with which `percent` of `limit` is reached."""
    return -(-limit * percent // 100)


def percents_of(limit: int) -> tuple[int, ...]:
    """Which of the four are told of a limit."""
    return PERCENTS if limit >= _LEAST_LIMIT_OF_PARTS else (100,)


def is_crossed(*, limit: int | None, used: int, quantity: int) -> bool:
    """Whether the last `quantity` of `used` units reached one of the four. A limit of None or 0 has none."""
    if not limit or used * 2 < limit:
        return False
    return any(used - quantity < units_at(limit, percent) <= used for percent in percents_of(limit))


def newly_reached(
    *,
    limit: int | None,
    used: int,
    extra_percents: Iterable[int] = (),
    told: Collection[Told],
    percents: Collection[int] | None = None,
) -> list[int]:
    """The percents to be told or passed over now, in order; the last is the one to tell.

    `percents` in place of those of a limit.
    """
    if not limit:
        return []
    known_units = max((each.used for each in told), default=-1)
    limits: dict[int, int] = {}
    for each in told:
        limits[each.percent] = max(each.limit, limits.get(each.percent, 0))
    return [
        percent
        for percent in sorted({*(percents or percents_of(limit)), *extra_percents})
        if units_at(limit, percent) <= used
        and (
            percent not in limits
            or (limit > limits[percent] and units_at(limit, percent) > known_units)
        )
    ]


def is_near_end(
    *, at: datetime, starts_at: datetime, ends_at: datetime | None, quiet_hours: int
) -> bool:
    """Whether `at` lies in the quiet hours before a period's end: at most its last fifth."""
    if ends_at is None:
        return False
    quiet = min(timedelta(hours=quiet_hours), (ends_at - starts_at) / _MOST_QUIET_RATIO)
    return at >= ends_at - quiet
