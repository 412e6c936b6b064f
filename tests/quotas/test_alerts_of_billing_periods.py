"""Alerts and days of meters whose period a subscription anchors: here on the 31st, at nine in the morning."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from django.core import mail

from config.needs import Meter
from quotas import entitlements
from quotas.alerts.evaluating import evaluate
from quotas.alerts.watching import review, review_forecasts, watch
from quotas.daily import DailyUsage, daily_usage, read_days
from quotas.models import UsageAlert, UsageTotal
from quotas.periods import Anchor
from quotas.present import Reading, readings
from tenants.mails.posting import send
from tenants.models import Mail
from tests import factories
from tests.client import member_of
from tests.quotas.test_alerts import events, steady
from tests.quotas.test_ledger import take

pytestmark = pytest.mark.django_db
JANUARY_31, FEBRUARY_28 = (
    datetime(2026, month, day, 9, tzinfo=UTC) for month, day in ((1, 31), (2, 28))
)
ON_THE_31ST = Anchor(JANUARY_31)


def at(month: int, day: int, hour: int = 12) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def anchored(tenant_id: UUID, anchor: Anchor | None = ON_THE_31ST, **more: Any) -> None:
    entitlements.grant(
        tenant_id=tenant_id, source=more.pop("source", "plan"), plan="free", features=(),
        limits={"emails": 100, "campaigns": 100}, rates={}, ladder={}, feature_ladder={},
        anchor=anchor, now=JANUARY_31, **more,
    )  # fmt: skip


def look(tenant: Any, now: datetime) -> list[int]:
    return evaluate(tenant_id=tenant.pk, meter=Meter.EMAILS, now=now)


def total(tenant_id: UUID, used: int, period: datetime, meter: str = "emails") -> None:
    UsageTotal.objects.update_or_create(
        tenant_id=tenant_id, meter=meter, period_start=period, defaults={"used": used}
    )


def test_a_billing_period_is_told_once_through_a_months_turn_and_begins_anew_with_the_next(tenant):
    anchored(tenant.pk)
    take(tenant.pk, "a", 80, Meter.EMAILS, at(2, 10))
    assert (look(tenant, at(2, 10)), look(tenant, at(2, 28, 8))) == ([80], [])
    take(tenant.pk, "b", 50, Meter.EMAILS, at(2, 28, 10))
    # March is another month, and the same period.
    assert (look(tenant, at(2, 28, 10)), look(tenant, at(3, 1))) == ([50], [])

    told = UsageAlert.objects.filter(is_told=True).order_by("period_start")
    assert [(row.percent, row.used, row.period_start) for row in told] == [
        (80, 80, JANUARY_31), (50, 50, FEBRUARY_28),
    ]  # fmt: skip
    assert [(data["period_starts_at"], data["resets_at"]) for _, data in events()] == [
        ("2026-01-31T09:00:00Z", "2026-02-28T09:00:00Z"),
        ("2026-02-28T09:00:00Z", "2026-03-31T09:00:00Z"),
    ]


def test_early_thresholds_are_quiet_at_the_end_of_the_billing_period_not_of_the_month(tenant):
    anchored(tenant.pk)
    take(tenant.pk, "a", 50, Meter.EMAILS, at(3, 1))
    assert (look(tenant, at(3, 31, 8)), look(tenant, at(2, 28, 20))) == ([], [50])


def test_a_former_periods_total_alerts_nobody_in_the_present_one_without_any(tenant):
    anchored(tenant.pk)
    total(tenant.pk, 95, JANUARY_31)
    # What was counted before there was an anchor, and what began with the calendar's month.
    total(tenant.pk, 96, at(2, 1, 0))
    before, after = at(2, 28, 8), at(2, 28, 10)

    assert (watch(now=before), review(now=before), review_forecasts(now=before)) == (1, 1, 1)
    assert (watch(now=after), review(now=after), review_forecasts(now=after)) == (0, 0, 0)
    assert (look(tenant, after), look(tenant, before)) == ([], [90])
    assert review(now=before) == 0


def test_each_tenants_total_is_that_of_its_own_present_period():
    monthly, yearly, none, moved = (factories.TenantFactory().pk for _ in range(4))
    anchored(monthly)
    anchored(yearly, Anchor(datetime(2025, 3, 15, tzinfo=UTC), "year"))
    anchored(none, None)
    # The grant of higher priority decides, and one that has ended does not.
    anchored(moved, Anchor(at(1, 10)))
    anchored(moved, source="override", priority=5)
    anchored(moved, Anchor(at(1, 20)), source="ended", priority=9, expires_at=at(2, 2))
    starts = {
        monthly: JANUARY_31,
        yearly: datetime(2025, 3, 15, tzinfo=UTC),
        none: at(2, 1, 0),
        moved: JANUARY_31,
    }
    # Units that name their period: of January 31 it is 131.
    periods = {period: period.month * 100 + period.day for period in (*starts.values(), at(1, 20))}
    for tenant_id in starts:
        for period, used in periods.items():
            total(tenant_id, used, period)
        total(tenant_id, 7, at(2, 1, 0), "campaigns")
        total(tenant_id, 8, at(1, 1, 0), "campaigns")

    found = [each for each in readings(now=at(2, 20)) if each.tenant_id in starts]

    assert sorted(found) == sorted(
        each
        for tenant_id, period in starts.items()
        for each in (
            Reading(tenant_id, Meter.EMAILS, period, periods[period]),
            Reading(tenant_id, Meter.CAMPAIGNS, at(2, 1, 0), 7),
        )
    )


def test_the_day_on_which_a_period_turns_has_what_both_took(tenant):
    anchored(tenant.pk)
    for day, hour, used, period in (
        (26, 23, 40, JANUARY_31), (27, 23, 60, JANUARY_31), (28, 8, 65, JANUARY_31),
    ):  # fmt: skip
        total(tenant.pk, used, period)
        read_days(now=at(2, day, hour))
    # Five more before nine, after the last reading; then a new period, and a first day that stands alike.
    total(tenant.pk, 70, JANUARY_31)
    total(tenant.pk, 65, FEBRUARY_28)
    turned = read_days(now=at(2, 28, 22))
    total(tenant.pk, 68, FEBRUARY_28)
    read_days(now=at(3, 1))

    found = daily_usage(tenant_id=tenant.pk, meters=[Meter.EMAILS], now=at(3, 2))

    assert turned == [Reading(tenant.pk, Meter.EMAILS, FEBRUARY_28, 65)]
    assert found == {Meter.EMAILS: DailyUsage((20, 75, 3), date(2026, 3, 1))}


def test_a_forecast_reaches_to_the_end_of_the_billing_period(tenant):
    member_of(tenant)
    anchored(tenant.pk)
    now = at(3, 21)
    # 3 a day in the month's readings; since February 28 63 are used, and 93 will be on March 31.
    steady(tenant, 3, meter=Meter.EMAILS, now=now)
    total(tenant.pk, 63, FEBRUARY_28)
    assert look(tenant, now) == []  # quiet: 50 % of what will hold
    total(tenant.pk, 79, FEBRUARY_28)
    assert look(tenant, now) == [50, 0]
    letter = Mail.objects.get(kind="usage_forecast")
    send(mail_id=letter.pk, now=now)
    assert mail.outbox[0].subject == "Stall will run out of e-mails"
    assert "At this pace you run out on March 28." in mail.outbox[0].body
    assert "The count starts again on Mar 31, 2026." in mail.outbox[0].body


def test_the_clock_knows_what_is_given_on_top_of_the_plan(tenant):
    anchored(tenant.pk)
    total(tenant.pk, 100, JANUARY_31)
    assert (watch(now=at(2, 10)), look(tenant, at(2, 10))) == (1, [100])
    entitlements.grant(
        tenant_id=tenant.pk, source="add_on:more", plan="", features=(), limits={}, rates={},
        ladder={}, feature_ladder={}, adds={"emails": 100}, priority=10, now=at(2, 10),
    )  # fmt: skip
    total(tenant.pk, 159, JANUARY_31)
    assert (review(now=at(2, 11)), look(tenant, at(2, 11))) == (0, [])
    total(tenant.pk, 180, JANUARY_31)
    assert (watch(now=at(2, 12)), look(tenant, at(2, 12))) == (1, [90])
