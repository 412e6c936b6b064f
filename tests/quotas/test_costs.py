"""What a request takes of the month's API calls: what was done, once, however often it is told."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from config.needs import Meter
from quotas import ledger
from tenants.models import Tenant
from tests.client import Api

pytestmark = pytest.mark.django_db
CONTACTS = "/api/v1/contacts"


def calls(tenant: Tenant) -> int:
    found = ledger.usage(tenant_id=tenant.pk, now=datetime.now(UTC))
    return {one.meter: one.used for one in found}[Meter.API_CALLS]


def contacts(count: int, *, first: int = 0) -> dict[str, Any]:
    return {"items": [{"email": f"n{first + n}@example.test"} for n in range(count)]}


def test_a_batch_costs_its_items_and_a_refused_one_what_a_refused_request_costs(
    acme: Tenant, api: Callable[..., Api]
) -> None:
    client, spent = api(acme), []
    for body, status in (
        (contacts(3), 207),
        (contacts(1_001), 400),
        ({"items": []}, 400),
        ({"items": [{"email": "nonsense"}, *contacts(1, first=3)["items"]]}, 207),
        ({"items": [[]] * 40, "extra": float("nan")}, 400),
    ):
        before = calls(acme)
        client.post(f"{CONTACTS}/batch", body, status=status)
        spent.append(calls(acme) - before)
    assert spent == [3, 1, 1, 2, 1]


def test_items_that_the_ledger_refuses_are_given_back(
    acme: Tenant, api: Callable[..., Api]
) -> None:
    now = datetime.now(UTC)
    left = ledger.remaining(tenant_id=acme.pk, meter=Meter.CONTACTS, now=now)
    assert left is not None
    ledger.consume(
        tenant_id=acme.pk, meter=Meter.CONTACTS, quantity=left - 2, key="others", now=now
    )
    answer = api(acme).post(f"{CONTACTS}/batch", contacts(5), status=207)
    assert [each["status"] for each in answer["results"]] == [201, 201, 402, 402, 402]
    assert calls(acme) == 2


def test_no_charset_hides_the_items_of_a_batch_from_the_gate(
    acme: Tenant, api: Callable[..., Api]
) -> None:
    client = api(acme)
    answer = client.client.generic(
        "POST",
        f"{CONTACTS}/batch",
        json.dumps(contacts(7)).encode("cp037"),
        content_type="application/json; charset=cp037",
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "parse_failed")
    assert client.get(CONTACTS)["results"] == []


def test_an_answer_that_is_told_again_costs_nothing(acme: Tenant, api: Callable[..., Api]) -> None:
    client, batch = api(acme), f"{CONTACTS}/batch"
    spent = []
    for body, status in (
        (contacts(4), 207),
        (contacts(4), 207),
        (contacts(5), 422),
    ):
        before = calls(acme)
        client.post(batch, body, status=status, Idempotency_Key="k")
        spent.append(calls(acme) - before)
    assert spent == [4, 0, 1]


def test_who_lost_the_answer_to_the_last_call_is_told_it_again_and_nothing_more(
    acme: Tenant, api: Callable[..., Api]
) -> None:
    client, wish = api(acme), {"email": "last@example.test"}
    _leave_calls(acme, 1)
    first = client.post(CONTACTS, wish, Idempotency_Key="last")
    refused = client.post(CONTACTS, {"email": "more@example.test"}, status=402, Idempotency_Key="a")
    client.get(CONTACTS, status=402)

    again = client.post(CONTACTS, wish, Idempotency_Key="last")

    assert again == first
    assert client.last.headers["Idempotent-Replayed"] == "true"
    assert (refused["code"], refused["meter"], refused["asked"]) == (
        "quota_exceeded",
        "api_calls",
        1,
    )
    _leave_calls(acme, 1)
    assert [each["email"] for each in client.get(CONTACTS)["results"]] == ["last@example.test"]


def _leave_calls(tenant: Tenant, left: int) -> None:
    """An override that leaves the tenant so many calls of its month."""
    from quotas.entitlements import grant, snapshot

    now = datetime.now(UTC)
    found = snapshot(tenant.pk, now=now)
    grant(
        tenant_id=tenant.pk, source="override:calls", plan=found.plan, features=found.features,
        limits={"api_calls": calls(tenant) + left}, rates={}, ladder={}, feature_ladder={},
        priority=1_000, now=now,
    )  # fmt: skip
