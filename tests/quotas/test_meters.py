from datetime import UTC, datetime, timedelta, timezone

import pytest

from config.needs import Meter
from quotas.meters import METERS, Aggregation, Anchor, period_start, reference_rows, resets_at


def test_every_meter_is_specified() -> None:
    assert set(METERS) == set(Meter)


@pytest.mark.parametrize(
    ("now", "start", "end"),
    [
        ("2026-11-01T00:00:00", "2026-11-01", "2026-12-01"),
        ("2026-12-31T23:59:59.999999", "2026-12-01", "2027-01-01"),
        ("2028-02-29T12:00:00", "2028-02-01", "2028-03-01"),
    ],
)
def test_a_month_is_a_calendar_month_of_utc(now: str, start: str, end: str) -> None:
    at, first, next_first = (
        datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (now, start, end)
    )
    assert period_start(Meter.API_CALLS, at) == first
    assert resets_at(Meter.API_CALLS, at) == next_first


def test_another_zones_clock_changes_no_period() -> None:
    late_in_costa_rica = datetime(2026, 11, 30, 20, tzinfo=timezone(timedelta(hours=-6)))
    assert period_start(Meter.API_CALLS, late_in_costa_rica) == datetime(2026, 12, 1, tzinfo=UTC)


def test_a_lifetime_has_one_period_and_no_end(now: datetime) -> None:
    assert period_start(Meter.CONTACTS, now) == period_start(
        Meter.CONTACTS, now + timedelta(days=900)
    )
    assert resets_at(Meter.CONTACTS, now) is None


@pytest.mark.parametrize(
    ("anchor", "interval", "now", "start", "end"),
    [
        ("2026-01-31T09:30", "month", "2026-01-31T09:30", "2026-01-31T09:30", "2026-02-28T09:30"),
        ("2026-01-31T09:30", "month", "2026-02-28T09:29", "2026-01-31T09:30", "2026-02-28T09:30"),
        ("2026-01-31T09:30", "month", "2026-02-28T09:30", "2026-02-28T09:30", "2026-03-31T09:30"),
        ("2026-01-31T09:30", "month", "2026-04-30T09:30", "2026-04-30T09:30", "2026-05-31T09:30"),
        ("2026-01-31T09:30", "month", "2028-02-29T10:00", "2028-02-29T09:30", "2028-03-31T09:30"),
        ("2026-11-15T00:00", "month", "2027-01-14T23:59", "2026-12-15T00:00", "2027-01-15T00:00"),
        ("2028-02-29T08:00", "year", "2029-02-28T07:59", "2028-02-29T08:00", "2029-02-28T08:00"),
        ("2028-02-29T08:00", "year", "2032-02-29T08:00", "2032-02-29T08:00", "2033-02-28T08:00"),
        ("2026-03-10T00:00", "year", "2026-03-09T00:00", "2025-03-10T00:00", "2026-03-10T00:00"),
    ],
)
def test_a_billing_period_begins_on_the_anchors_day_or_the_months_last(
    anchor: str, interval: str, now: str, start: str, end: str
) -> None:
    at, first, last, begun = (
        datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (now, start, end, anchor)
    )
    found = Anchor(begun, interval)
    assert period_start(Meter.EMAILS, at, found) == first
    assert resets_at(Meter.EMAILS, at, found) == last


def test_without_a_subscription_a_billing_period_is_the_calendar_month() -> None:
    at = datetime(2026, 12, 31, 23, tzinfo=UTC)
    assert period_start(Meter.EMAILS, at) == datetime(2026, 12, 1, tzinfo=UTC)
    assert resets_at(Meter.EMAILS, at) == datetime(2027, 1, 1, tzinfo=UTC)


def test_a_day_is_a_day_of_utc_whatever_the_anchor() -> None:
    at = datetime(2026, 2, 28, 23, 59, tzinfo=UTC)
    anchor = Anchor(datetime(2026, 1, 31, 9, tzinfo=UTC))
    assert period_start(Meter.BULK_TASKS, at, anchor) == datetime(2026, 2, 28, tzinfo=UTC)
    assert resets_at(Meter.BULK_TASKS, at, anchor) == datetime(2026, 3, 1, tzinfo=UTC)


def test_what_counts_values_says_by_which_property_and_nothing_else_does() -> None:
    named = {spec.meter for spec in METERS.values() if spec.counted_by}
    assert named == {
        spec.meter for spec in METERS.values() if spec.aggregation is Aggregation.UNIQUE
    }


def test_the_docs_table_lists_every_meter() -> None:
    rows = reference_rows()
    assert [row[0] for row in rows] == [meter.value for meter in METERS]
    assert rows[0][:5] == ("api_calls", "call", "month", "hard", "sum")
