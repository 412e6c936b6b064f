"""`/spend-cap`, what `/usage` tells of it, and why something was refused by it."""

from datetime import datetime
from typing import Any

import pytest

from quotas import explanations
from quotas.caps.weights import Bend, Weight
from tenants.models import Tenant
from tests.client import Api
from tests.quotas.capped import ONES, weigh
from tests.quotas.reported import EVENTS, batch, event

pytestmark = pytest.mark.django_db
CAP = "/api/v1/spend-cap"


@pytest.fixture(autouse=True)
def _stall(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.quotas.stall_urls"


@pytest.fixture
def owner_api(tenant: Tenant, now: datetime) -> Api:
    """100 e-mails and 2 contacts are included; more of either weighs 1 and 3."""
    weights = {"emails": ONES, "contacts": Weight((Bend(0, 0, 3),))}
    weigh(tenant.pk, weights, emails=100, contacts=2, now=now)
    return Api.signed_in(tenant)


def dollars(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "USD"}


def test_a_cap_is_set_shown_and_taken_away(owner_api: Api) -> None:
    owner_api.post(EVENTS, event("a", quantity=130))
    before = owner_api.get(CAP)
    assert (before["cap"], before["spent"], before["remaining"]) == (None, dollars(30), None)

    answer = owner_api.put(CAP, {"cap": dollars(50)})

    assert answer == owner_api.get(CAP) == owner_api.get("/api/v1/usage")["spend_cap"]
    assert {name: answer[name] for name in ("cap", "spent", "remaining", "warnings")} == {
        "cap": dollars(50), "spent": dollars(30), "remaining": dollars(20), "warnings": [],
    }  # fmt: skip
    assert answer["meters"][0] == {
        "meter": "emails", "included": 100, "used": 130, "spent": dollars(30),
    }  # fmt: skip
    assert owner_api.put(CAP, {"cap": None})["cap"] is None


def test_the_very_next_request_meets_a_lowered_and_a_raised_cap(owner_api: Api) -> None:
    for cap, status in ((29, 402), (35, 201), (30, 402), (36, 201)):
        owner_api.put(CAP, {"cap": dollars(cap)})
        quantity = 135 if cap == 35 else 1 if cap == 36 else 130
        owner_api.post(EVENTS, event(f"cap-{cap}", quantity=quantity), status=status)


def test_a_cap_below_what_is_spent_warns_and_takes_nothing_away(owner_api: Api) -> None:
    owner_api.post(EVENTS, event("a", quantity=130))
    answer = owner_api.put(CAP, {"cap": dollars(10)})
    assert (answer["warnings"], answer["spent"], answer["remaining"]) == (
        ["below_spent"], dollars(30), dollars(0),
    )  # fmt: skip
    refused = owner_api.post(EVENTS, event("b"), status=402)
    assert {name: refused[name] for name in ("code", "meter", "cap", "spent", "currency")} == {
        "code": "spend_cap_reached", "meter": "emails", "cap": 10, "spent": 30, "currency": "USD",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"cap": {"amount": 5, "currency": "EUR"}}, "cap"),
        ({"cap": {"amount": -1, "currency": "USD"}}, "cap"),
        ({"cap": {"amount": 5}}, "cap"),
        ({}, "cap"),
    ],
)
def test_a_wrong_cap_is_refused_by_field(owner_api: Api, body: Any, field: str) -> None:
    assert field in owner_api.put(CAP, body, status=400)["errors"]
    assert owner_api.get(CAP)["cap"] is None


def test_only_who_may_see_money_reaches_it(tenant: Tenant, owner_api: Api) -> None:
    for role, status in (("billing", 200), ("admin", 200), ("editor", 403), ("read_only", 403)):
        api = Api.signed_in(tenant, role)
        api.get(CAP, status=status)
        api.put(CAP, {"cap": dollars(5)}, status=status)


def test_a_tenant_to_which_nothing_is_billed_by_usage_has_nothing_to_cap(
    tenant: Tenant, now: datetime
) -> None:
    weigh(tenant.pk, {}, unit="", emails=1, now=now)
    api = Api.signed_in(tenant)
    assert api.get("/api/v1/usage")["spend_cap"] is None
    assert "cap" in api.put(CAP, {"cap": dollars(5)}, status=400)["errors"]


def test_a_refusal_of_the_ledger_is_explained(owner_api: Api) -> None:
    owner_api.put(CAP, {"cap": dollars(5)})
    owner_api.post("/api/v1/kept", {"contacts": 4}, status=402)
    asked = owner_api.last.headers["X-Request-ID"]
    explanations.flush()

    found = owner_api.get("/api/v1/usage/explain", {"request_id": asked})

    names = ("rule", "code", "limit", "used", "remaining")
    assert [found[name] for name in names] == [
        "spend_cap:contacts", "spend_cap_reached", 5, 0, 5,
    ]  # fmt: skip
    assert (found["facts"]["asked"], found["facts"]["currency"]) == (4, "USD")


def test_refusals_inside_a_batch_are_explained(owner_api: Api) -> None:
    owner_api.put(CAP, {"cap": dollars(5)})
    outcomes = batch(owner_api, [event("a", quantity=104), event("b", quantity=2), event("c")])
    asked = owner_api.last.headers["X-Request-ID"]
    explanations.flush()

    assert outcomes == [(201, ""), (402, "spend_cap_reached"), (201, "")]
    found = owner_api.get("/api/v1/usage/explain", {"request_id": asked})
    assert (found["rule"], found["used"], found["facts"]["items"]) == ("spend_cap:emails", 4, [1])
