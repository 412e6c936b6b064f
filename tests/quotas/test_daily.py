"""Readings of totals become days' usage: at the turn of a month, with gaps, and for meters that never reset."""

from datetime import UTC, date, datetime, timedelta

import pytest

from config.ids import new_id
from config.needs import Meter
from quotas.daily import DailyUsage, daily_usage, read_days
from quotas.meters import EPOCH
from quotas.models import UsageDay, UsageTotal
from quotas.present import Reading

pytestmark = pytest.mark.django_db
OCTOBER, NOVEMBER = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)


def total(tenant_id, used, meter=Meter.CAMPAIGNS, period=NOVEMBER) -> None:
    UsageTotal.objects.bulk_create(
        [UsageTotal(tenant_id=tenant_id, meter=meter.value, period_start=period, used=used)],
        update_conflicts=True,
        unique_fields=["tenant_id", "meter", "period_start"],
        update_fields=["used"],
    )


def at(day: int, hour: int = 12, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def known(tenant_id, meter=Meter.CAMPAIGNS, now=None) -> DailyUsage:
    return daily_usage(tenant_id=tenant_id, meters=[meter], now=now or at(5))[meter]


def test_a_day_is_what_its_last_reading_adds_to_the_day_before_across_the_months_turn():
    tenant_id = new_id()
    for month, day, used in ((10, 30, 70), (10, 31, 90), (11, 1, 4), (11, 2, 4), (11, 3, 9)):
        total(tenant_id, used, period=OCTOBER if month == 10 else NOVEMBER)
        read_days(now=at(day, month=month))
    total(tenant_id, 11)
    read_days(now=at(3, 23))
    total(tenant_id, 999)
    read_days(now=at(4))

    found = known(tenant_id, now=at(4, 18))

    # The 30th is where the readings begin, so nobody knows what that day took; the 4th is not over.
    assert found == DailyUsage((20, 4, 0, 7), date(2026, 11, 3))


def test_a_period_that_begins_with_the_readings_has_no_unknown_day():
    tenant_id = new_id()
    total(tenant_id, 6)
    read_days(now=at(1))
    assert known(tenant_id, now=at(2)) == DailyUsage((6,), date(2026, 11, 1))


def test_a_day_without_reading_took_nothing_and_the_next_one_all():
    tenant_id = new_id()
    for day, used in ((1, 5), (4, 11)):
        total(tenant_id, used)
        read_days(now=at(day))
    assert known(tenant_id) == DailyUsage((5, 0, 0, 6), date(2026, 11, 4))


def test_a_lifetime_meter_may_fall_and_its_beginning_is_no_day():
    tenant_id = new_id()
    for day, used in ((1, 1_000), (2, 1_010), (3, 1_003)):
        total(tenant_id, used, Meter.CONTACTS, EPOCH)
        read_days(now=at(day))
    assert known(tenant_id, Meter.CONTACTS, at(4)) == DailyUsage((10, -7), date(2026, 11, 3))


def test_a_reading_tells_what_is_news_and_nothing_twice_and_forgets_after_seventy_days():
    tenant_id = new_id()
    total(tenant_id, 5)
    UsageDay.objects.create(
        tenant_id=tenant_id, meter="campaigns", day=at(1).date() - timedelta(days=71),
        period_start=OCTOBER, used=1,
    )  # fmt: skip
    assert read_days(now=at(1)) == [Reading(tenant_id, Meter.CAMPAIGNS, NOVEMBER, 5)]
    assert read_days(now=at(1, 13)) == []
    assert [row.day for row in UsageDay.objects.all()] == [date(2026, 11, 1)]


def test_nothing_known_is_nothing():
    assert known(new_id()) == DailyUsage()
