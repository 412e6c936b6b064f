"""A month replayed on another plan: what would have been refused, since when, and what it costs."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from billing import catalogue
from billing.services.what_if import month_of, replay
from config.needs import Meter
from quotas import entitlements
from quotas.meters import EPOCH
from quotas.models import UsageEvent, UsageTotal
from tests import factories
from tests.client import Api

pytestmark = pytest.mark.django_db
OCTOBER, NOW = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC)
FIFTH = datetime(2026, 10, 5, tzinfo=UTC)
ADDRESS = "/api/v1/usage/what-if"


def event(tenant, meter, at, quantity, *, period=EPOCH, kind="consumed"):
    factories.UsageEventFactory(
        tenant_id=tenant.pk, meter=meter, quantity=quantity, period_start=period, kind=kind,
        occurred_at=at,
    )  # fmt: skip


def day(number: int, month: int = 10) -> datetime:
    return datetime(2026, month, number, 12, tzinfo=UTC)


def figures(found, meter):
    return next(
        (each.used, each.limit, each.over, each.first_refused_at)
        for each in found.meters
        if each.meter is meter
    )


def test_a_lifetimes_meter_goes_on_from_what_was_in_use_and_tells_the_first_moment(acme, globex):
    event(acme, "contacts", day(3, 9), 450)
    event(acme, "contacts", day(5), 50)
    event(acme, "contacts", day(6), 20)
    event(acme, "contacts", day(7), 30, kind="refunded")
    event(acme, "contacts", day(8), 55)
    event(acme, "contacts", day(2, 11), 9_000)  # of another month
    event(globex, "contacts", day(5), 9_000)  # of another tenant

    found = replay(tenant_id=acme.pk, plan="free", start=OCTOBER, now=NOW)
    assert figures(found, Meter.CONTACTS) == (545, 500, 45, day(6))
    found = replay(tenant_id=acme.pk, plan="starter", start=OCTOBER, now=NOW)
    assert figures(found, Meter.CONTACTS) == (545, 5_000, 0, None)
    found = replay(tenant_id=acme.pk, plan="enterprise", start=OCTOBER, now=NOW)
    assert figures(found, Meter.CONTACTS) == (545, None, 0, None)


def test_a_months_meter_begins_with_nothing_and_the_last_unit_is_allowed(acme):
    event(acme, "campaigns", day(20, 9), 40, period=datetime(2026, 9, 1, tzinfo=UTC))
    for number in range(1, 8):
        event(acme, "campaigns", day(number), 1, period=OCTOBER)

    found = replay(tenant_id=acme.pk, plan="free", start=OCTOBER, now=NOW)
    assert figures(found, Meter.CAMPAIGNS) == (7, 5, 2, day(6))


def test_a_billing_period_is_added_up_from_its_own_beginning(acme):
    october = datetime(2026, 9, 20, tzinfo=UTC)
    event(acme, "emails", day(25, 9), 900, period=october)
    event(acme, "emails", day(5), 200, period=october)
    event(acme, "emails", day(6), -50, period=october, kind="corrected")
    event(acme, "emails", day(25), 30, period=day(20))
    limit = catalogue.plan("free").limits[Meter.EMAILS]
    assert limit is not None

    found = replay(tenant_id=acme.pk, plan="free", start=OCTOBER, now=NOW)
    over = max(0, 1_100 - limit)
    assert figures(found, Meter.EMAILS) == (1_100, limit, over, day(5) if over else None)


def test_api_calls_are_replayed_by_their_total(acme):
    for month, used in ((9, 900_000), (10, 10_020)):
        UsageTotal.objects.create(
            tenant_id=acme.pk, meter="api_calls", used=used,
            period_start=datetime(2026, month, 1, tzinfo=UTC),
        )  # fmt: skip
    found = replay(tenant_id=acme.pk, plan="free", start=OCTOBER, now=NOW)
    assert figures(found, Meter.API_CALLS) == (10_020, 10_000, 20, None)


def test_an_override_of_today_holds_in_the_replay_too(acme):
    entitlements.grant(
        tenant_id=acme.pk, source="override", plan="", features=(), limits={"contacts": 600},
        rates={}, ladder={}, feature_ladder={}, priority=9, now=NOW,
    )  # fmt: skip
    event(acme, "contacts", day(5), 550)
    found = replay(tenant_id=acme.pk, plan="free", start=OCTOBER, now=NOW)
    assert figures(found, Meter.CONTACTS) == (550, 600, 0, None)


def refused(tenant, code, rule, *, at=FIFTH, **told):
    factories.ExplanationFactory(
        tenant_id=tenant.pk, code=code, decided_at=at, told={"rule": rule, **told}
    )


def test_refusals_that_the_plan_would_have_spared_are_counted(globex, acme):
    for used, asked in ((4_990, 20), (4_990, 45_010), (4_990, 45_011)):
        refused(globex, "quota_exceeded", "meter:contacts", used=used, facts={"asked": asked})
    refused(globex, "feature_not_in_plan", "feature:custom_domains")
    refused(globex, "feature_not_in_plan", "feature:single_sign_on")
    stated = [{"states": {"limit": 1_200, "seconds": 60}}]
    refused(globex, "rate_limited", "rate:tenant", used=1_200, grants=stated)
    refused(globex, "rate_limited", "rate:address", used=6_000, grants=[])
    refused(globex, "tenant_suspended", "state")
    refused(globex, "tenant_suspended", "state", at=day(5, 9))
    refused(acme, "tenant_suspended", "state")

    found = replay(tenant_id=globex.pk, plan="growth", start=OCTOBER, now=NOW)
    assert [(each.rule, each.count, each.avoided) for each in found.refusals] == [
        ("meter:contacts", 3, 2),
        ("feature:custom_domains", 1, 1),
        ("feature:single_sign_on", 1, 0),
        ("rate:address", 1, 0),
        ("rate:tenant", 1, 1),
        ("state", 1, 0),
    ]


def test_owner_admin_and_billing_are_told_the_price_and_features_too(acme):
    Api.signed_in(acme, "member").get(ADDRESS, {"plan": "free"}, status=403)
    for role in ("owner", "admin", "billing"):
        found = Api.signed_in(acme, role).get(ADDRESS, {"plan": "starter", "month": "2026-10"})
    usd = "USD"
    assert found["price"] == {
        "interval": "month",
        "present": {"amount": 9_900, "currency": usd},
        "other": {"amount": 2_900, "currency": usd},
        "difference": {"amount": -7_000, "currency": usd},
    }
    assert (found["plan"], found["present_plan"], found["month"]) == (
        "starter",
        "growth",
        "2026-10",
    )
    assert found["features_lost"] == ["audit_export", "custom_domains"]
    assert found["features_gained"] == []
    assert found["meters"][1] == {
        "meter": "contacts", "unit": "contact", "used": 0, "limit": 5_000, "over": 0,
        "first_refused_at": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"plan": "golden"}, "plan"),
        ({}, "plan"),
        ({"plan": "free", "month": "2026-13"}, "month"),
        ({"plan": "free", "month": "2099-01"}, "month"),
        ({"plan": "free", "mont": "2026-10"}, "mont"),
    ],
)
def test_what_is_no_plan_or_no_past_month_is_refused_by_name(acme, asked, field):
    assert list(Api.signed_in(acme).get(ADDRESS, asked, status=400)["errors"]) == [field]


def test_without_a_month_it_is_the_last_whole_one():
    assert month_of("", now=datetime(2027, 1, 1, tzinfo=UTC)) == datetime(2026, 12, 1, tzinfo=UTC)
    assert month_of("", now=NOW + timedelta(days=5)) == OCTOBER


def test_a_long_month_is_added_up_in_the_database(acme, django_assert_num_queries):
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {UsageEvent._meta.db_table}"
            " (tenant_id, id, meter, key, kind, quantity, period_start, occurred_at, recorded_at)"
            " SELECT %s, gen_random_uuid(), 'contacts', 'k' || n, 'consumed', 1, %s,"
            " %s + n * interval '10 seconds', now() FROM generate_series(1, 100000) n",
            [acme.pk, EPOCH, OCTOBER],
        )
    began = time.monotonic()
    with django_assert_num_queries(6):
        found = replay(tenant_id=acme.pk, plan="growth", start=OCTOBER, now=NOW)
    first = OCTOBER + timedelta(seconds=10 * 50_001)
    assert figures(found, Meter.CONTACTS) == (100_000, 50_000, 50_000, first)
    assert time.monotonic() - began < 10
