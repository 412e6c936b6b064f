"""When a limit will be reached, from daily usage: seasonal by weekday, with an 80 % interval. Pure.

The model is a mean for each weekday, the recent days weighing more (a half-life of 14 days, 56 days at
most), and from 28 days on a slope, as far as it stands out from chance. What is left over varies about it: by one variance, estimated from the days, shared out to the
weekdays in proportion to their means, widened for days that resemble the day before and for how well
so few days tell the means. The sum of the coming days is then about normal, so that it passes `left`
by a day with the probability that the sum up to that day is above it: the interval of the date is
read off the same curve, without simulation and always alike.

Fewer than 14 days say nothing: a weekday seen once cannot be told from chance. How often the interval
holds what happens is measured in tests/quotas/test_forecast_coverage.py.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

LEAST_DAYS = 14
MOST_DAYS = 56
HORIZON_DAYS = 90
_LEAST_DAYS_OF_SLOPE = 28
_HALF_LIFE_DAYS = 14.0
_WEEK = 7
# One in ten lies above it, one in ten below.
_Z = 1.2816
_MOST_LIKENESS = 0.8


@dataclass(frozen=True, slots=True)
class Forecast:
    """Dates are of UTC; None: not before the period ends, or within 90 days where none does.

    `earliest_on` to `latest_on` and `low_at_end` to `high_at_end` each hold what happens in 8 cases
    of 10. The amounts at the end are None for a meter that never starts again.
    """

    runs_out_on: date | None
    earliest_on: date | None
    latest_on: date | None
    expected_at_end: int | None
    low_at_end: int | None
    high_at_end: int | None

    @property
    def is_safe(self) -> bool:
        """Whether the limit holds even at the upper end of the interval."""
        return self.earliest_on is None


@dataclass(frozen=True, slots=True)
class _Pace:
    """What a day of each weekday takes (Monday first), and how much that varies.

    `ages` are how many days before the last one each mean stands for; `slope` is a day's growth.
    """

    means: tuple[float, ...]
    ages: tuple[float, ...]
    slope: float
    slope_variance: float
    variances: tuple[float, ...]
    days_behind_each_mean: float
    quantile: float


def forecast(
    *,
    days: Sequence[int],
    last_day: date,
    used: int,
    limit: int | None,
    at: datetime,
    ends_at: datetime | None,
) -> Forecast | None:
    """What becomes of `used` at `at`, or None where too little is known: fewer than 14 days.

    `days` are whole days' usage in order, of which the last is `last_day`, the day before `at` or
    earlier. `limit` None never runs out. `ends_at` (aware UTC) is when the meter starts again.
    """
    if len(days) < LEAST_DAYS:
        return None
    pace = _pace(days[-MOST_DAYS:], last_day)
    at = at.astimezone(UTC)
    horizon = ends_at or at + timedelta(days=HORIZON_DAYS)
    left = math.inf if limit is None else float(limit - used)
    dates: dict[str, date | None] = {"low": None, "middle": None, "high": None}
    mean, spread = 0.0, 0.0
    sums = _Sums(pace)
    for day, share in _coming_days(at, horizon):
        mean, spread = sums.add(day.weekday(), share, (day - last_day).days)
        # Above by chance comes first, so it makes the earliest date.
        reached = {"low": mean + spread, "middle": mean, "high": mean - spread}
        for name, total in reached.items():
            if dates[name] is None and total >= left:
                dates[name] = day
    has_end = ends_at is not None
    return Forecast(
        runs_out_on=dates["middle"],
        earliest_on=dates["low"],
        latest_on=dates["high"],
        expected_at_end=round(used + mean) if has_end else None,
        low_at_end=max(used, round(used + mean - spread)) if has_end else None,
        high_at_end=round(used + mean + spread) if has_end else None,
    )


def _coming_days(at: datetime, until: datetime) -> list[tuple[date, float]]:
    """Each day from `at` on, with the share of it that lies ahead."""
    found: list[tuple[date, float]] = []
    start = at
    while start < until:
        next_day = start.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        end = min(next_day, until)
        found.append((start.date(), (end - start) / timedelta(days=1)))
        start = next_day
    return found


class _Sums:
    """The sum of the coming days: its mean, and how far to either side 8 of 10 cases go."""

    def __init__(self, pace: _Pace) -> None:
        self._pace = pace
        self._mean = self._variance = 0.0
        self._counted = [0.0] * _WEEK
        self._grown = 0.0

    def add(self, weekday: int, share: float, days_ahead: int) -> tuple[float, float]:
        pace = self._pace
        grown = share * (days_ahead + pace.ages[weekday])
        self._grown += grown
        self._mean += share * pace.means[weekday] + pace.slope * grown
        self._variance += share * pace.variances[weekday]
        self._counted[weekday] += share
        # A mean that is off is off on each of its days alike, so this part grows with the square.
        doubt = sum(
            count**2 * variance / pace.days_behind_each_mean
            for count, variance in zip(self._counted, pace.variances, strict=True)
        )
        doubt += self._grown**2 * pace.slope_variance
        return self._mean, pace.quantile * math.sqrt(self._variance + doubt)


def _pace(days: Sequence[int], last_day: date) -> _Pace:
    first = last_day - timedelta(days=len(days) - 1)
    weekdays = [(first.weekday() + index) % _WEEK for index in range(len(days))]
    ages = [float(len(days) - 1 - index) for index in range(len(days))]
    weights = [0.5 ** (age / _HALF_LIFE_DAYS) for age in ages]
    means = _weekday_means(days, weekdays, weights)
    mean_ages = _weekday_means(ages, weekdays, weights)
    residuals = [value - means[weekday] for value, weekday in zip(days, weekdays, strict=True)]
    # How much later than its weekday's mean each day lies.
    leads = [mean_ages[weekday] - age for age, weekday in zip(ages, weekdays, strict=True)]
    slope, of_variance = _slope(residuals, leads, weights)
    residuals = [found - slope * lead for found, lead in zip(residuals, leads, strict=True)]
    variance, freedom = _variance(residuals, weights)
    return _Pace(
        means=tuple(means),
        ages=tuple(mean_ages),
        slope=slope,
        slope_variance=variance * of_variance,
        variances=tuple(variance * share for share in _shares(means)),
        days_behind_each_mean=(freedom + _WEEK) / _WEEK,
        quantile=_student(max(freedom, 2.0)),
    )


def _weekday_means(
    days: Sequence[float], weekdays: Sequence[int], weights: Sequence[float]
) -> list[float]:
    """The weighted mean of each weekday; with 14 days each has been seen twice."""
    sums, total = [0.0] * _WEEK, [0.0] * _WEEK
    for value, weekday, weight in zip(days, weekdays, weights, strict=True):
        sums[weekday] += weight * value
        total[weekday] += weight
    return [found / weight for found, weight in zip(sums, total, strict=True)]


def _slope(
    residuals: Sequence[float], leads: Sequence[float], weights: Sequence[float]
) -> tuple[float, float]:
    """A day's growth, drawn towards none where chance could have made it; and its variance, in days' variances."""
    if len(residuals) < _LEAST_DAYS_OF_SLOPE:
        return 0.0, 0.0
    length = sum(w * x * x for w, x in zip(weights, leads, strict=True))
    slope = sum(w * r * x for w, r, x in zip(weights, residuals, leads, strict=True)) / length
    of_variance = sum(w * w * x * x for w, x in zip(weights, leads, strict=True)) / length**2
    rest = [r - slope * x for r, x in zip(residuals, leads, strict=True)]
    chance = _variance(rest, weights)[0] * of_variance
    if not chance:
        return slope, of_variance
    kept = max(0.0, 1 - chance / slope**2) if slope else 0.0
    return slope * kept, of_variance * (1 + kept) / 2


def _variance(residuals: Sequence[float], weights: Sequence[float]) -> tuple[float, float]:
    """Of one day about its mean, widened for likeness; and the degrees of freedom behind it."""
    effective = sum(weights) ** 2 / sum(weight**2 for weight in weights)
    square = sum(w * r * r for w, r in zip(weights, residuals, strict=True)) / sum(weights)
    likeness = _likeness(residuals)
    # Seven means were fitted, each to its share of the days.
    lost = max(1 - _WEEK / effective, 0.25)
    return square / lost * (1 + likeness) / (1 - likeness), effective - _WEEK


def _shares(means: Sequence[float]) -> list[float]:
    """Each weekday's part of the variance, 1 on average: a busy day varies more than a quiet one."""
    positive = [max(mean, 0.0) for mean in means]
    whole = sum(positive)
    return [_WEEK * mean / whole for mean in positive] if whole else [1.0] * _WEEK


def _likeness(residuals: Sequence[float]) -> float:
    """How much a day resembles the day before: their correlation, from 0."""
    square = sum(each * each for each in residuals)
    if not square:
        return 0.0
    product = sum(one * other for one, other in pairwise(residuals))
    return min(max(product / square, 0.0), _MOST_LIKENESS)


def _student(freedom: float) -> float:
    """Student's 90 % quantile by its expansion about the normal one (Abramowitz and Stegun 26.7.5)."""
    z = _Z
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3
