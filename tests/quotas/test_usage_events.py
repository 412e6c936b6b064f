"""Usage that is reported from outside, over HTTP: once for each key, and never beyond a hard limit."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.ids import new_id
from config.needs import Meter
from quotas import entitlements, ledger
from quotas.models import UsageEvent, UsageTotal
from quotas.periods import Anchor
from quotas.retention import imbalances
from tenants.models import Domain, Tenant
from tenants.services import host_of
from tests.client import Api
from tests.owner import make_role_alone
from tests.quotas.reported import EVENTS, LIMITS, batch, event, used

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _stall(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.quotas.stall_urls"


def test_an_event_counts_once_and_answers_what_is_stored(reporter: Api) -> None:
    sent = event("mail-1", quantity=3, properties={"campaign": "spring", "opened": True, "n": 1.5})

    made = reporter.post(EVENTS, sent)
    again = reporter.post(EVENTS, sent, status=200)

    assert again == made
    assert {name: made[name] for name in ("key", "meter", "quantity", "kind", "is_late")} == {
        "key": "mail-1", "meter": "emails", "quantity": 3, "kind": "reported", "is_late": False,
    }  # fmt: skip
    assert made["properties"] == sent["properties"]
    assert reporter.get(f"{EVENTS}/mail-1") == made
    assert used(reporter) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": 2},
        {"meter": "sms"},
        {"properties": {"a": "c"}},
        {"occurred_at": "2026-11-01T00:00:00Z"},
    ],
)
def test_a_known_key_with_another_body_is_refused(reporter: Api, change: dict[str, Any]) -> None:
    sent = event("mail-1", properties={"a": "b"})
    reporter.post(EVENTS, sent)

    refused = reporter.post(EVENTS, sent | change, status=422)

    assert (refused["code"], refused["key"]) == ("usage_key_reused", "mail-1")
    assert (used(reporter), used(reporter, "sms")) == (1, 0)


def test_a_time_in_another_zone_is_the_same_time(reporter: Api) -> None:
    reporter.post(EVENTS, event("mail-1", occurred_at="2026-11-20T12:00:00Z"))
    reporter.post(EVENTS, event("mail-1", occurred_at="2026-11-20T06:00:00-06:00"), status=200)


def test_duplicates_in_a_batch_and_across_batches_count_once(reporter: Api) -> None:
    one, two, other = event("a", quantity=2), event("b"), event("a", quantity=3)

    assert batch(reporter, [one, two, one, other]) == [
        (201, ""), (201, ""), (200, ""), (422, "usage_key_reused"),
    ]  # fmt: skip
    assert batch(reporter, [two, event("c"), one]) == [(200, ""), (201, ""), (200, "")]
    assert used(reporter) == 4
    assert UsageEvent.objects.count() == 3


def test_a_hard_meter_takes_each_event_whole_or_refuses_it_and_a_soft_one_counts_on(
    reporter: Api,
) -> None:
    items = [event("a", quantity=8), event("b", quantity=3), event("c", quantity=2), event("d"),
             event("e", "tokens", 250)]  # fmt: skip

    results = reporter.post(f"{EVENTS}/batch", {"items": items}, status=207)["results"]

    assert [each["status"] for each in results] == [201, 402, 201, 402, 201]
    facts = {
        name: results[1]["error"][name]
        for name in ("meter", "limit", "used", "asked", "upgrade_to")
    }
    assert facts == {"meter": "emails", "limit": 10, "used": 8, "asked": 3, "upgrade_to": "starter"}
    assert results[3]["error"]["used"] == 10
    assert (used(reporter), used(reporter, "tokens")) == (10, 250)
    # A refused key is unused: after an upgrade it counts.
    assert reporter.post(EVENTS, event("b", quantity=3), status=402)["code"] == "quota_exceeded"
    assert imbalances(connection) == []


def test_unique_counts_values_and_max_the_largest(reporter: Api) -> None:
    people = [
        event(f"p{n}", "active_people", properties={"person": f"p-{n % 3}"}) for n in range(7)
    ]
    visits = [event(f"v{n}", "visitors_at_once", quantity) for n, quantity in enumerate((4, 60, 7))]

    assert {status for status, _code in batch(reporter, [*people, *visits])} == {201}

    assert (used(reporter, "active_people"), used(reporter, "visitors_at_once")) == (3, 60)
    batch(reporter, [event("p9", "active_people", properties={"person": "p-1"})])
    assert used(reporter, "active_people") == 3


@pytest.mark.parametrize(
    ("spoiled", "field"),
    [
        ({"quantity": 0}, "quantity"),
        ({"quantity": -1}, "quantity"),
        ({"quantity": "1"}, "quantity"),
        ({"quantity": 10**12 + 1}, "quantity"),
        ({"occurred_at": "2026-11-20T12:00:00"}, "occurred_at"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ({"occurred_at": "2126-01-01T00:00:00Z"}, "occurred_at"),
        ({"occurred_at": "0001-01-01T00:00:00Z"}, "occurred_at"),
        ({"occurred_at": "0001-01-01T00:00:00+05:00"}, "occurred_at"),
        ({"meter": "contacts"}, "meter"),
        ({"meter": "api_calls"}, "meter"),
        ({"key": ""}, "key"),
        ({"key": "a\u001fb"}, "key"),
        ({"key": "k" * 201}, "key"),
        ({"properties": {"a": {"b": 1}}}, "properties"),
        ({"properties": {"a": "\u0000"}}, "properties"),
        ({"properties": {str(n): n for n in range(21)}}, "properties"),
        ({"colour": "red"}, "colour"),
        ({"meter": "active_people"}, "properties"),
        ({"meter": "active_people", "properties": {"person": "p"}, "quantity": 2}, "quantity"),
    ],
)
def test_a_wrong_event_is_refused_by_field_alone_and_in_a_batch(
    reporter: Api, spoiled: dict[str, Any], field: str
) -> None:
    wrong = event("a") | spoiled

    refused = reporter.post(EVENTS, wrong, status=400)

    assert list(refused["errors"]) == [field]
    assert batch(reporter, [event("good"), wrong]) == [(201, ""), (400, "validation_failed")]
    assert used(reporter) == 1


@pytest.mark.parametrize("body", [{}, {"items": []}, {"items": [{}] * 1_001}, {"items": "x"}, []])
def test_what_is_no_batch_is_refused(reporter: Api, body: Any) -> None:
    assert "items" in reporter.post(f"{EVENTS}/batch", body, status=400)["errors"]


def test_what_is_no_json_is_refused(reporter: Api) -> None:
    for body in (b"{", b"\xff", b'{"items": [' + b"[" * 2_000):
        answer = reporter.client.post(f"{EVENTS}/batch", body, content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (400, "parse_failed")
    assert reporter.client.post(EVENTS, b"x", content_type="text/plain").status_code == 415


def test_an_event_counts_in_its_own_period_while_that_is_open(
    tenant: Tenant, reporter: Api, now: datetime
) -> None:
    begun = now - timedelta(days=2)
    entitlements.grant(
        tenant_id=tenant.pk, source="plan", plan="free", features=(), limits=LIMITS, rates={},
        ladder={}, feature_ladder={}, anchor=Anchor(begun - timedelta(days=365), "year"), now=now,
    )  # fmt: skip
    last_year = begun - timedelta(days=365)

    made = reporter.post(EVENTS, event("late", occurred_at=begun - timedelta(hours=1)))
    again = reporter.post(EVENTS, event("older", occurred_at=last_year - timedelta(hours=1)))

    assert (made["is_late"], again["is_late"]) == (False, True)
    rows = UsageTotal.objects.filter(tenant_id=tenant.pk, meter="emails").order_by("period_start")
    assert [(row.period_start, row.used) for row in rows] == [(last_year, 1), (begun, 1)]
    assert used(reporter) == 1


def test_a_period_that_is_closed_takes_no_more(reporter: Api, now: datetime) -> None:
    made = reporter.post(EVENTS, event("late", occurred_at=now - timedelta(days=21)))

    assert made["is_late"] is True
    assert datetime.fromisoformat(made["period_start"]) == now - timedelta(days=20)


def test_a_clock_that_goes_a_little_fast_is_no_future(reporter: Api, now: datetime) -> None:
    reporter.post(EVENTS, event("fast", occurred_at=now + timedelta(minutes=4)))


@pytest.mark.parametrize(("events", "asked"), [(2, 2), (49, 2), (200, 3)])
def test_a_batch_asks_the_database_twice_however_large_and_once_more_to_promise_alerts(
    reporter: Api, events: int, asked: int
) -> None:
    with CaptureQueriesContext(connection) as seen:
        batch(reporter, [event(f"k{n}", "tokens") for n in range(events)])
    told = [each["sql"] for each in seen]
    assert sum("public.quotas_hold" in each or "SELECT plaza." in each for each in told) == asked


def test_the_list_is_narrowed_by_meter_kind_and_time(
    reporter: Api, tenant: Tenant, now: datetime
) -> None:
    ledger.consume(tenant_id=tenant.pk, meter=Meter.SMS, quantity=1, key="inside", now=now)
    batch(reporter, [event("a"), event("b", "sms", occurred_at=now - timedelta(days=3))])

    def keys(query: str) -> list[str]:
        return [each["key"] for each in reporter.get(f"{EVENTS}?{query}")["results"]]

    assert keys("") == ["b", "a", "inside"]
    assert keys("meter=sms") == ["b", "inside"]
    assert keys("kind=reported&meter=sms") == ["b"]
    day = (now - timedelta(days=1)).isoformat().replace("+", "%2B")
    assert keys(f"occurred_at__gte={day}") == ["a", "inside"]
    page = reporter.get(f"{EVENTS}?limit=2")
    assert [each["key"] for each in reporter.get(page["next"])["results"]] == ["inside"]


def test_another_tenants_events_are_neither_seen_nor_corrected(
    reporter: Api, granted: Callable[..., None], now: datetime
) -> None:
    other_id = new_id()
    other = Tenant.objects.create(
        id=other_id, schema_name=f"t_{other_id.hex}", slug="other-stall", organisation="Other",
        status="active",
    )  # fmt: skip
    Domain.objects.create(tenant=other, domain=host_of("other-stall"), is_primary=True)
    make_role_alone(other.schema_name)
    granted(other.pk, emails=10)
    reporter.post(EVENTS, event("mine"))
    theirs = Api.signed_in(other)

    assert theirs.get(EVENTS)["results"] == []
    theirs.get(f"{EVENTS}/mine", status=404)
    theirs.post(
        f"{EVENTS}/mine/corrections", {"key": "x", "quantity": -1, "reason": "r"}, status=404
    )
    theirs.post(EVENTS, event("mine", quantity=4))
    assert (used(reporter), used(theirs)) == (1, 4)
