"""Billing periods: boundaries counted from an anchor, clamped at month ends, UTC."""

from calendar import monthrange
from datetime import UTC, datetime

DAY = 86_400
_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "year": 12}


def boundary(anchor: int, interval: str, count: int, index: int) -> int:
    """The `index`-th boundary after `anchor`, in Unix seconds.

    Counted from the anchor and not from the boundary before, so that the 31st comes back after
    February.
    """
    if interval in _DAYS:
        return anchor + index * count * _DAYS[interval] * DAY
    start = datetime.fromtimestamp(anchor, tz=UTC)
    months = start.month - 1 + index * count * _MONTHS[interval]
    year, month = start.year + months // 12, months % 12 + 1
    day = min(start.day, monthrange(year, month)[1])
    return int(start.replace(year=year, month=month, day=day).timestamp())


def next_boundary(anchor: int, interval: str, count: int, *, after: int) -> int:
    """The first boundary later than `after`."""
    index = 1
    while boundary(anchor, interval, count, index) <= after:
        index += 1
    return boundary(anchor, interval, count, index)
