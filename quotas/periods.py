"""When a period begins and ends: a day, a calendar month, or a billing period that a subscription anchors.

Days and months are UTC. A billing period begins on the anchor's day and time of day, and where a
month has no such day on its last one: from Jan 31 the next begin on Feb 28, Mar 31, Apr 30. Each is
reckoned from the anchor itself, so that a short month moves no later one.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

# Where the period of a lifetime begins.
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MONTHS_IN = {"month": 1, "year": 12}
Day = TypeVar("Day", bound=date)


class Window(StrEnum):
    """When a meter starts from zero again."""

    LIFETIME = "lifetime"
    MONTH = "month"
    BILLING_PERIOD = "billing_period"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where a subscription's periods begin, and how long each is: "month" or "year"."""

    starts_at: datetime
    interval: str = "month"

    def around(self, at: datetime) -> tuple[datetime, datetime]:
        """The billing period [start, end) that holds `at`, aware UTC."""
        first, length = self.starts_at.astimezone(UTC), MONTHS_IN[self.interval]
        at = at.astimezone(UTC)
        months = (at.year - first.year) * 12 + at.month - first.month
        number = months // length
        if months_after(first, number * length) > at:
            number -= 1
        return months_after(first, number * length), months_after(first, (number + 1) * length)


def months_after(first: Day, months: int) -> Day:
    """The same day of a later month, or its last one."""
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    day = min(first.day, monthrange(year, month + 1)[1])
    return first.replace(year=year, month=month + 1, day=day)


def period_around(
    window: Window, at: datetime, anchor: Anchor | None
) -> tuple[datetime, datetime | None]:
    """The period [start, end) of `window` that holds `at`; a lifetime has no end.

    A billing period without an anchor (no plan was granted yet) is the calendar month.
    """
    if window is Window.LIFETIME:
        return EPOCH, None
    if window is Window.BILLING_PERIOD and anchor is not None:
        return anchor.around(at)
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if window is Window.DAY:
        return day, day + timedelta(days=1)
    return Anchor(day.replace(day=1)).around(at)
