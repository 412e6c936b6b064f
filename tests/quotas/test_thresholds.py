"""Which thresholds are news, as arithmetic."""

from datetime import UTC, datetime, timedelta

import pytest

from quotas.alerts.thresholds import Told, is_crossed, is_near_end, newly_reached, units_at


@pytest.mark.parametrize(
    ("limit", "percent", "units"),
    [(100, 50, 50), (101, 50, 51), (5, 90, 5), (2, 50, 1), (2, 80, 2), (1, 50, 1), (3, 100, 3)],
)
def test_a_threshold_is_reached_with_the_first_unit_at_or_above_it(limit, percent, units):
    assert units_at(limit, percent) == units


@pytest.mark.parametrize(
    ("limit", "used", "quantity", "crossed"),
    [
        (100, 49, 49, False), (100, 50, 1, True), (100, 51, 1, False), (100, 79, 20, False),
        (100, 80, 1, True), (100, 89, 9, False), (100, 95, 95, True), (100, 100, 1, True),
        (5, 4, 1, False), (5, 5, 1, True), (1, 1, 1, True), (10, 8, 1, True), (100, 150, 50, False), (100, 150, 51, True), (None, 50, 50, False), (0, 5, 5, False),
    ],
)  # fmt: skip
def test_a_crossing_is_known_from_the_new_total_and_what_was_added(limit, used, quantity, crossed):
    assert is_crossed(limit=limit, used=used, quantity=quantity) is crossed


def reached(limit, used, *told, extra=()):
    return newly_reached(limit=limit, used=used, extra_percents=extra, told=told)


def test_what_is_reached_and_was_not_told_is_news():
    assert reached(100, 49) == []
    assert reached(100, 50) == [50]
    assert reached(100, 95) == [50, 80, 90]
    assert reached(100, 95, Told(50, 100, 50)) == [80, 90]
    assert reached(100, 76, extra=(75,)) == [50, 75]
    assert reached(None, 10**9) == reached(0, 5) == []


def test_of_a_handful_only_the_last_unit_is_news_and_what_was_asked_for():
    assert [reached(9, used) for used in (5, 8, 9)] == [[], [], [100]]
    assert [reached(10, used) for used in (5, 8, 9, 10)] == [
        [50], [50, 80], [50, 80, 90], [50, 80, 90, 100],
    ]  # fmt: skip
    assert reached(4, 3, extra=(75,)) == [75]


def test_a_raised_limit_tells_again_only_above_the_units_that_were_told():
    told = [Told(50, 100, 52), Told(80, 100, 80), Told(90, 100, 91), Told(100, 100, 100)]
    assert reached(200, 100, *told) == []  # 50 % of 200 are the 100 that everybody knows of
    assert reached(200, 159, *told) == []
    assert reached(200, 160, *told) == [80]
    assert reached(200, 200, *told, Told(80, 200, 160)) == [90, 100]


def test_a_lowered_limit_tells_what_was_never_told_and_nothing_twice():
    told = [Told(50, 200, 110)]
    assert reached(120, 111, *told) == [80, 90]
    again = [*told, Told(80, 120, 111), Told(90, 120, 111)]
    assert reached(120, 111, *again) == reached(100, 90, *again) == []
    # Raised again to what it was: nothing below 111 units is news.
    assert reached(200, 150, *again) == []
    assert reached(200, 160, *again) == [80]


def test_raised_and_lowered_over_and_over_tells_nothing_new():
    told = [Told(percent, 100, 100) for percent in (50, 80, 90, 100)]
    assert [reached(limit, 100, *told) for limit in (100, 125, 100, 199, 101, 100)] == [[]] * 6


def test_the_quiet_hours_are_at_most_a_fifth_of_the_period():
    month = {
        "starts_at": datetime(2026, 11, 1, tzinfo=UTC), "ends_at": datetime(2026, 12, 1, tzinfo=UTC)
    }  # fmt: skip
    day = {
        "starts_at": datetime(2026, 11, 1, tzinfo=UTC), "ends_at": datetime(2026, 11, 2, tzinfo=UTC)
    }  # fmt: skip

    def quiet(period, before, hours=48):
        return is_near_end(at=period["ends_at"] - before, quiet_hours=hours, **period)

    assert [quiet(month, timedelta(hours=48)), quiet(month, timedelta(hours=49))] == [True, False]
    assert [quiet(day, timedelta(hours=4)), quiet(day, timedelta(hours=5))] == [True, False]
    assert quiet(month, timedelta(seconds=1), hours=0) is False
    assert not is_near_end(
        at=month["ends_at"], starts_at=month["starts_at"], ends_at=None, quiet_hours=48
    )
