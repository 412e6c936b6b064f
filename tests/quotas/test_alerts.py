"""Alerts of usage: promised by the writer that crosses, told once, quiet where nobody needs them."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.models import OutboxMessage
from config.needs import Meter
from quotas import ledger
from quotas.alerts.evaluating import evaluate
from quotas.alerts.settings import change
from quotas.alerts.watching import review, review_forecasts, watch
from quotas.models import UsageAlert, UsageDay, UsageTotal
from tenants.mails.posting import send
from tenants.models import Mail
from tests.client import member_of
from tests.quotas.conftest import NOON
from tests.quotas.test_ledger import take

pytestmark = pytest.mark.django_db
MONTH = datetime(2026, 11, 1, tzinfo=UTC)


def look(tenant, meter=Meter.CONTACTS, now=NOON) -> list[int]:
    return evaluate(tenant_id=tenant.pk, meter=meter, now=now)


def promised(task: str = "quotas.evaluate_usage") -> list[dict]:
    rows = OutboxMessage.objects.filter(task=task).order_by("pk")
    return [row.arguments for row in rows]


def events() -> list[tuple[str, dict]]:
    return [(row["name"], json.loads(row["data"])) for row in promised("tenants.fan_out_event")]


def steady(tenant, daily: int, *, meter=Meter.CAMPAIGNS, now=NOON, known: int = 28) -> None:
    """`known` days of `daily` each until yesterday, and the same pace in this month's total."""
    for ago in range(known, 0, -1):
        day = (now - timedelta(days=ago)).date()
        period = datetime(day.year, day.month, 1, tzinfo=UTC)
        UsageDay.objects.create(
            tenant_id=tenant.pk, meter=meter.value, day=day, period_start=period,
            used=daily * day.day,
        )  # fmt: skip
    UsageTotal.objects.create(
        tenant_id=tenant.pk, meter=meter.value, period_start=MONTH, used=daily * (now.day - 1)
    )


def test_a_writer_promises_a_look_when_it_crosses_and_only_then(tenant, granted):
    granted(tenant.pk, contacts=100)
    seen = []
    for key, quantity in enumerate((49, 1, 29, 1, 9, 1, 9, 1)):
        take(tenant.pk, f"k{key}", quantity)
        seen.append(len(promised()))
    take(tenant.pk, "k7", 1)  # known: it takes nothing
    assert seen == [0, 1, 1, 2, 2, 3, 3, 4]
    assert promised() == [{"tenant_id": str(tenant.pk), "meter": "contacts"}] * 4


def test_a_writer_that_crosses_nothing_asks_the_database_no_more_than_before(tenant, granted):
    granted(tenant.pk, contacts=100)
    counts = []
    for key, quantity in enumerate((1, 48, 1)):
        with CaptureQueriesContext(connection) as asked:
            take(tenant.pk, f"k{key}", quantity)
        counts.append(len(asked))
    assert counts == [2, 2, 3]


def test_each_threshold_is_told_once_by_mail_and_event_to_owner_and_billing(tenant, granted):
    for role in ("owner", "billing", "admin", "member"):
        member_of(tenant, role)
    granted(tenant.pk, contacts=500)
    told = []
    for key, quantity in enumerate((250, 150, 50, 50)):
        take(tenant.pk, f"k{key}", quantity)
        told.append((look(tenant), look(tenant)))

    assert told == [([50], []), ([80], []), ([90], []), ([100], [])]
    assert [(name, data["percent"], data["used"]) for name, data in events()] == [
        ("usage.threshold_reached", 50, 250), ("usage.threshold_reached", 80, 400),
        ("usage.threshold_reached", 90, 450), ("usage.limit_reached", 100, 500),
    ]  # fmt: skip
    assert events()[3][1] | {"meter": "contacts", "unit": "contact", "limit": 500, "hard": True,
        "period_starts_at": None, "resets_at": None, "upgrade_to": "starter", "forecast": None,
        "passed": []} == events()[3][1]  # fmt: skip
    people = Mail.objects.order_by("pk").values_list("person__email", flat=True)
    slug = tenant.slug
    assert sorted(people) == sorted([f"owner@{slug}.test", f"billing@{slug}.test"] * 4)


def test_a_leap_tells_the_highest_and_the_rest_counts_as_told(tenant, granted):
    granted(tenant.pk, contacts=100)
    take(tenant.pk, "import", 95)
    assert [look(tenant), look(tenant)] == [[90], []]
    rows = UsageAlert.objects.order_by("percent").values_list("percent", "is_told")
    assert list(rows) == [(50, False), (80, False), (90, True)]
    assert events()[0][1]["passed"] == [50, 80]


def test_a_raised_limit_arms_what_lies_above_and_lowering_it_tells_nothing_twice(tenant, granted):
    granted(tenant.pk, contacts=100)
    take(tenant.pk, "a", 100)
    assert look(tenant) == [100]
    granted(tenant.pk, contacts=200)
    assert look(tenant) == []
    take(tenant.pk, "b", 60)
    assert look(tenant) == [80]
    granted(tenant.pk, contacts=100)
    assert look(tenant) == []
    granted(tenant.pk, contacts=200)
    assert look(tenant) == []
    take(tenant.pk, "c", 40)
    assert look(tenant) == [100]


def test_the_next_period_begins_anew(tenant, granted):
    granted(tenant.pk, campaigns=10)
    december = NOON.replace(month=12)
    for now in (NOON, december):
        take(tenant.pk, f"k{now.month}", 9, Meter.CAMPAIGNS, now)
        assert look(tenant, Meter.CAMPAIGNS, now) == [90]


def test_unlimited_and_ungranted_meters_never_alert(tenant, granted):
    granted(tenant.pk, contacts=None)
    take(tenant.pk, "a", 10**9)
    UsageTotal.objects.create(tenant_id=tenant.pk, meter="campaigns", period_start=MONTH, used=10)
    assert (promised(), look(tenant), look(tenant, Meter.CAMPAIGNS)) == ([], [], [])
    assert (watch(now=NOON), review(now=NOON), review_forecasts(now=NOON)) == (0, 0, 0)


def test_each_channel_can_be_switched_off_and_later_tells_nothing_of_before(tenant, granted):
    member_of(tenant)
    granted(tenant.pk, contacts=100)
    change(tenant_id=tenant.pk, meter=Meter.CONTACTS, wish={"by_mail": False})
    take(tenant.pk, "a", 80)
    assert (look(tenant), Mail.objects.count(), len(events())) == ([80], 0, 1)
    wish = {"by_mail": True, "by_webhook": False, "roles": ["member"]}
    change(tenant_id=tenant.pk, meter=Meter.CONTACTS, wish=wish)
    assert (look(tenant), Mail.objects.count()) == ([], 0)
    member_of(tenant, "member")
    take(tenant.pk, "b", 10)
    assert (look(tenant), len(events())) == ([90], 1)
    assert [row.person.email for row in Mail.objects.all()] == [f"member@{tenant.slug}.test"]


def test_further_thresholds_are_found_by_the_hourly_review(tenant, granted):
    granted(tenant.pk, contacts=100)
    change(tenant_id=tenant.pk, meter=Meter.CONTACTS, wish={"extra_percents": [25]})
    take(tenant.pk, "a", 30)
    assert (promised(), review(now=NOON)) == ([], 1)
    assert look(tenant) == [25]
    assert review(now=NOON) == 0


def test_api_calls_are_found_by_the_clock_urgent_ones_within_a_minute(tenant, granted):
    granted(tenant.pk, api_calls=100)
    total = UsageTotal.objects.create(
        tenant_id=tenant.pk, meter="api_calls", period_start=MONTH, used=85
    )
    assert (watch(now=NOON), review(now=NOON)) == (0, 1)
    assert look(tenant, Meter.API_CALLS) == [80]
    total.used = 90
    total.save()
    assert (watch(now=NOON), watch(now=NOON)) == (1, 0)
    assert look(tenant, Meter.API_CALLS) == [90]
    assert review(now=NOON) == 0


def test_early_thresholds_are_quiet_at_a_periods_end_and_late_ones_are_not(tenant, granted):
    granted(tenant.pk, campaigns=10)
    last_day = datetime(2026, 11, 29, 12, tzinfo=UTC)
    take(tenant.pk, "a", 8, Meter.CAMPAIGNS, last_day)
    assert look(tenant, Meter.CAMPAIGNS, last_day) == []
    take(tenant.pk, "b", 1, Meter.CAMPAIGNS, last_day)
    assert look(tenant, Meter.CAMPAIGNS, last_day) == [90]


def test_early_thresholds_are_quiet_while_the_limit_will_hold_and_told_when_it_will_not(
    tenant, granted
):
    steady(tenant, 10)  # 200 used on the 21st, 300 at the end
    granted(tenant.pk, campaigns=400)
    assert look(tenant, Meter.CAMPAIGNS) == []
    granted(tenant.pk, campaigns=320)
    assert look(tenant, Meter.CAMPAIGNS) == []
    granted(tenant.pk, campaigns=250)
    assert look(tenant, Meter.CAMPAIGNS) == [80]


def test_a_forecast_is_told_once_for_each_limit_and_names_the_day(tenant, granted):
    member_of(tenant)
    steady(tenant, 10)
    granted(tenant.pk, campaigns=270)  # on the 21st 200 are used, so the 27th takes the last
    assert review_forecasts(now=NOON) == 1
    assert [look(tenant, Meter.CAMPAIGNS) for _ in range(2)] == [[50, 0], []]
    assert [name for name, _ in events()] == ["usage.threshold_reached", "usage.forecast"]
    day = "2026-11-28"
    assert events()[1][1]["forecast"] == {
        "runs_out_on": day, "earliest_on": day, "latest_on": day
    }  # fmt: skip
    letters = [row for row in Mail.objects.all() if row.kind == "usage_forecast"]
    send(mail_id=letters[0].pk, now=NOON)
    assert mail.outbox[0].subject == "Stall will run out of campaigns"
    assert "At this pace you run out on November 28." in mail.outbox[0].body
    granted(tenant.pk, campaigns=260)
    assert look(tenant, Meter.CAMPAIGNS) == [0]
    granted(tenant.pk, campaigns=270)
    assert look(tenant, Meter.CAMPAIGNS) == []


def test_a_forecast_is_quiet_where_the_day_lies_in_a_periods_last_hours(tenant, granted):
    steady(tenant, 10)
    granted(tenant.pk, campaigns=295)
    assert 0 not in look(tenant, Meter.CAMPAIGNS)
    assert not UsageAlert.objects.filter(percent=0).exists()


def test_a_mail_of_eighty_percent_tells_the_forecast_and_no_second_mail_does(tenant, granted):
    member_of(tenant)
    steady(tenant, 10)
    granted(tenant.pk, campaigns=250)
    assert [look(tenant, Meter.CAMPAIGNS) for _ in range(2)] == [[80], []]
    (row,) = Mail.objects.all()
    send(mail_id=row.pk, now=NOON)
    assert mail.outbox[0].subject == "Stall has used 80 % of its campaigns"
    assert "At this pace you run out on November 26." in mail.outbox[0].body
    assert "The count starts again on Dec 1, 2026." in mail.outbox[0].body
    assert f"http://{tenant.slug}.plaza.localhost:8000/plan" in mail.outbox[0].body


def test_another_tenants_usage_is_not_looked_at(tenant, granted):
    from tests import factories

    other = factories.TenantFactory()
    for each in (tenant, other):
        granted(each.pk, contacts=100)
    take(other.pk, "a", 95)
    assert look(tenant) == []
    assert ledger.remaining(tenant_id=tenant.pk, meter=Meter.CONTACTS, now=NOON) == 100
