"""Corrections of reported usage, and refunds of what does not add up."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from config.ids import new_id
from config.needs import Meter
from quotas import ledger
from quotas.retention import imbalances
from tests.client import Api
from tests.quotas.reported import EVENTS, batch, event
from tests.quotas.reported import used as shown
from tests.quotas.test_ledger import give_back, take, used

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _stall(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.quotas.stall_urls"


def correct(api: Api, key: str, quantity: int, *, under: str = "c", status: int = 201) -> Any:
    wish = {"key": under, "quantity": quantity, "reason": "counted twice"}
    return api.post(f"{EVENTS}/{key}/corrections", wish, status=status)


def test_a_correction_points_at_its_event_and_counts_once(reporter: Api) -> None:
    original = reporter.post(EVENTS, event("mails/1", quantity=9))

    made = correct(reporter, "mails/1", -4)

    assert correct(reporter, "mails/1", -4, status=200) == made
    assert (made["kind"], made["corrects"], made["quantity"], made["reason"]) == (
        "corrected", original["id"], -4, "counted twice",
    )  # fmt: skip
    assert shown(reporter) == 5
    assert correct(reporter, "mails/1", -3, status=422)["code"] == "usage_key_reused"
    assert imbalances(connection) == []


def test_an_event_and_its_corrections_are_never_below_zero(reporter: Api) -> None:
    batch(reporter, [event("a", quantity=3), event("b", quantity=5)])
    correct(reporter, "a", -2, under="c1")

    refused = correct(reporter, "a", -2, under="c2", status=422)

    assert (refused["code"], refused["quantity"], refused["asked"]) == ("usage_below_zero", 3, -2)
    correct(reporter, "a", -1, under="c2")
    assert shown(reporter) == 5


def test_upwards_a_correction_meets_the_hard_limit(reporter: Api) -> None:
    reporter.post(EVENTS, event("a", quantity=8))

    refused = correct(reporter, "a", 3, status=402)

    assert (refused["code"], refused["used"], refused["limit"]) == ("quota_exceeded", 8, 10)
    correct(reporter, "a", 2)
    assert shown(reporter) == 10


def test_corrections_of_max_and_unique_count_anew(reporter: Api) -> None:
    visits = [event(f"v{n}", "visitors_at_once", quantity) for n, quantity in enumerate((30, 20))]
    people = [
        event(f"p{n}", "active_people", properties={"person": who}) for n, who in enumerate("aab")
    ]
    batch(reporter, [*visits, *people])

    correct(reporter, "v0", -25, under="c1")
    correct(reporter, "p0", -1, under="c2")
    correct(reporter, "p2", -1, under="c3")

    assert (shown(reporter, "visitors_at_once"), shown(reporter, "active_people")) == (20, 1)
    correct(reporter, "v1", 7, under="c4")
    correct(reporter, "p2", 1, under="c5")
    assert (shown(reporter, "visitors_at_once"), shown(reporter, "active_people")) == (27, 2)


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"key": "c", "quantity": 0, "reason": "r"}, "quantity"),
        ({"key": "c", "quantity": -1, "reason": ""}, "reason"),
        ({"key": "c", "quantity": -1}, "reason"),
        ({"quantity": -1, "reason": "r"}, "key"),
    ],
)
def test_a_correction_says_how_much_why_and_under_which_key(
    reporter: Api,
    wish: dict[str, Any],
    field: str,
) -> None:
    reporter.post(EVENTS, event("a"))

    refused = reporter.post(f"{EVENTS}/a/corrections", wish, status=400)

    assert list(refused["errors"]) == [field]


def test_what_was_not_reported_is_not_corrected(reporter: Api, tenant: Any, now: datetime) -> None:
    ledger.consume(tenant_id=tenant.pk, meter=Meter.SMS, quantity=1, key="inside", now=now)

    assert correct(reporter, "inside", -1, status=404)["code"] == "not_found"


def test_the_last_reading_stands_and_a_refund_brings_back_the_one_before(
    granted: Any, now: datetime
) -> None:
    tenant_id = new_id()
    granted(tenant_id, storage_bytes=1_000)
    storage: dict[str, Any] = {"meter": Meter.STORAGE_BYTES}
    for minutes, size in ((0, 700), (2, 400), (1, 900)):
        take(tenant_id, f"at {minutes}", size, now=now + timedelta(minutes=minutes), **storage)

    assert used(tenant_id, **storage) == 400
    give_back(tenant_id, "at 2", 400, now=now + timedelta(hours=1), **storage)
    assert used(tenant_id, **storage) == 900
    give_back(tenant_id, "at 2", 400, now=now + timedelta(hours=1), **storage)
    assert used(tenant_id, **storage) == 900


def test_a_last_reading_above_the_limit_is_refused_and_one_below_it_passes(
    granted: Any, now: datetime
) -> None:
    from quotas.refusals import QuotaExceeded

    tenant_id = new_id()
    granted(tenant_id, storage_bytes=1_000)
    storage: dict[str, Any] = {"meter": Meter.STORAGE_BYTES}
    take(tenant_id, "full", 1_000, now=now, **storage)
    with pytest.raises(QuotaExceeded):
        take(tenant_id, "more", 1_001, now=now + timedelta(minutes=1), **storage)
    granted(tenant_id, storage_bytes=500)
    take(tenant_id, "less", 900, now=now + timedelta(minutes=2), **storage)
    assert used(tenant_id, **storage) == 900


def test_a_refund_of_a_value_or_a_peak_counts_anew(granted: Any, now: datetime) -> None:
    tenant_id = new_id()
    granted(tenant_id)
    for key, who in (("1", "ann"), ("2", "ann"), ("3", "bob")):
        ledger.consume(
            tenant_id=tenant_id, meter=Meter.ACTIVE_PEOPLE, quantity=1, key=key, now=now, value=who
        )
    people: dict[str, Any] = {"meter": Meter.ACTIVE_PEOPLE}
    peaks: dict[str, Any] = {"meter": Meter.VISITORS_AT_ONCE}
    for key, quantity in (("1", 5), ("2", 9)):
        take(tenant_id, key, quantity, now=now, **peaks)
    assert (used(tenant_id, now=now, **people), used(tenant_id, now=now, **peaks)) == (2, 9)

    give_back(tenant_id, "1", 1, now=now, **people)
    give_back(tenant_id, "3", 1, now=now, **people)
    give_back(tenant_id, "2", 9, now=now, **peaks)

    assert (used(tenant_id, now=now, **people), used(tenant_id, now=now, **peaks)) == (1, 5)
