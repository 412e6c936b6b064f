from datetime import UTC, datetime, timedelta, timezone

import pytest

from config.needs import Meter
from quotas.meters import METERS, period_start, reference_rows, resets_at


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


def test_the_docs_table_lists_every_meter() -> None:
    rows = reference_rows()
    assert [row[0] for row in rows] == [meter.value for meter in METERS]
    assert rows[0][:5] == ("api_calls", "call", "month", "hard", "sum")
