"""The forecast's arithmetic on days whose future is known exactly."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from quotas.forecast import LEAST_DAYS, Forecast, forecast

MONDAY = date(2026, 11, 2)
WEEK = [100, 100, 100, 100, 100, 0, 0]


def days(count: int, week=WEEK, first: date = MONDAY) -> list[int]:
    return [week[(first + timedelta(days=n)).weekday()] for n in range(count)]


def asked(known: list[int], *, used: int, limit: int | None, ends: int | None = 28) -> Any:
    """At the first moment after the known days, `ends` days before the period ends."""
    at = datetime(2026, 11, 2, tzinfo=UTC) + timedelta(days=len(known))
    return forecast(
        days=known,
        last_day=at.date() - timedelta(days=1),
        used=used,
        limit=limit,
        at=at,
        ends_at=None if ends is None else at + timedelta(days=ends),
    )


def test_steady_weeks_run_out_on_the_day_that_they_lead_to_and_weekends_do_not_count():
    # From Monday on 450 are left: Friday's first half is too little, its second takes the last.
    found = asked(days(28), used=0, limit=450)
    friday = date(2026, 12, 4)
    assert found == Forecast(friday, friday, friday, 2_000, 2_000, 2_000)
    monday = date(2026, 12, 7)
    assert asked(days(28), used=0, limit=501).runs_out_on == monday


@pytest.mark.parametrize("count", range(LEAST_DAYS))
def test_too_few_days_say_nothing(count):
    assert asked(days(count), used=0, limit=10) is None


def test_fourteen_days_speak():
    assert asked(days(LEAST_DAYS), used=0, limit=450) is not None


def test_nothing_runs_out_after_the_period_or_without_a_limit_or_without_use():
    assert asked(days(28), used=0, limit=2_001).runs_out_on is None
    assert asked(days(28), used=0, limit=2_000).runs_out_on == date(2026, 12, 25)
    assert asked(days(28), used=0, limit=None).runs_out_on is None
    assert asked([0] * 28, used=5, limit=6) == Forecast(None, None, None, 5, 5, 5)
    assert asked([-3] * 28, used=5, limit=6).is_safe


def test_a_meter_that_never_starts_again_is_looked_at_for_ninety_days():
    found = asked(days(28, [10] * 7), used=0, limit=900, ends=None)
    assert found.runs_out_on == date(2027, 2, 27)
    assert (found.expected_at_end, found.low_at_end, found.high_at_end) == (None, None, None)
    assert asked(days(28, [10] * 7), used=0, limit=911, ends=None).runs_out_on is None


def test_what_is_left_of_today_counts_in_part():
    at = datetime(2026, 11, 30, 18, tzinfo=UTC)
    facts: Any = {"days": days(28), "last_day": date(2026, 11, 29), "used": 75, "at": at}
    ends = datetime(2026, 12, 2, tzinfo=UTC)
    found: list[Any] = [forecast(limit=limit, ends_at=ends, **facts) for limit in (100, 101)]
    assert [each.runs_out_on for each in found] == [date(2026, 11, 30), date(2026, 12, 1)]
    assert found[1].expected_at_end == 200


def test_uneven_days_widen_the_interval_about_the_same_middle():
    calm = [100 + (5 if n % 2 else -5) for n in range(28)]
    wild = [100 + (60 if n % 2 else -60) for n in range(28)]
    one, other = (asked(known, used=0, limit=1_050) for known in (calm, wild))
    assert one.runs_out_on == other.runs_out_on
    assert other.earliest_on < one.earliest_on <= one.runs_out_on <= one.latest_on < other.latest_on
    assert other.high_at_end - other.low_at_end > 5 * (one.high_at_end - one.low_at_end)


def test_what_was_used_is_not_unused_again():
    wild = [0, 500] * 14
    assert asked(wild, used=700, limit=10_000, ends=1).low_at_end == 700


def test_a_steady_growth_is_followed():
    grown = [100 + 3 * n for n in range(56)]
    found = asked(grown, used=0, limit=None, ends=10)
    truth = sum(100 + 3 * n for n in range(56, 66))
    assert abs(found.expected_at_end - truth) <= truth * 0.01


def test_the_answer_is_always_alike():
    known = [(n * 7919) % 101 for n in range(40)]
    assert len({asked(known, used=1, limit=900) for _ in range(5)}) == 1
