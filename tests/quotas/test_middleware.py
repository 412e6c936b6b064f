from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from config.needs import Feature, Meter
from quotas import entitlements, explanations, ledger
from quotas.buckets import UNGRANTED_RATE
from tenants.models import Tenant
from tenants.services import host_of, suspend
from tests.client import Api

pytestmark = pytest.mark.django_db
Granted = Callable[..., None]
THINGS = "/api/v1/things"


@pytest.fixture(autouse=True)
def _stall(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.quotas.stall_urls"


def used(tenant: Tenant) -> int:
    found = ledger.usage(tenant_id=tenant.pk, now=datetime.now(UTC))
    return {one.meter: one.used for one in found}[Meter.API_CALLS]


def test_a_request_that_passes_is_counted_and_told_its_rate(
    tenant: Tenant, granted: Granted
) -> None:
    granted(tenant.pk, api_calls=10)
    api = Api.signed_in(tenant)
    api.get(THINGS)
    assert api.last.headers["RateLimit-Policy"] == '"tenant";q=600;w=60'
    assert api.last.headers["RateLimit"] == '"tenant";r=599;t=1'
    assert used(tenant) == 1


def test_a_refusal_is_a_problem_with_the_rates_and_counts_nothing(
    tenant: Tenant, granted: Granted
) -> None:
    granted(tenant.pk, plan="free", api_calls=1)
    api = Api.signed_in(tenant)
    api.get(THINGS)
    problem = api.get(THINGS, status=402)
    assert api.last.headers["Content-Type"] == "application/problem+json"
    assert api.last.headers["RateLimit"].startswith('"tenant";r=')
    wanted = {"code", "meter", "limit", "used", "asked", "upgrade_to", "status"}
    assert {name: problem[name] for name in wanted} == {
        "code": "quota_exceeded", "meter": "api_calls", "limit": 1, "used": 1, "asked": 1,
        "upgrade_to": "starter", "status": 402,
    }  # fmt: skip
    assert used(tenant) == 1


def test_too_many_requests_are_told_when_to_come_back(tenant: Tenant, granted: Granted) -> None:
    granted(tenant.pk, api_calls=None, rates={"tenant": (2, 3_600)})
    api = Api.signed_in(tenant)
    for _ in range(2):
        api.get(THINGS)
    problem = api.get(THINGS, status=429)
    assert (problem["code"], problem["rule"]) == ("rate_limited", "tenant")
    assert 1_790 <= int(api.last.headers["Retry-After"]) <= 1_800
    assert api.last.headers["RateLimit"].startswith('"tenant";r=0;t=')


@pytest.mark.parametrize(
    ("status", "counted"), [(200, 1), (204, 1), (400, 1), (404, 1), (402, 0), (500, 0), (503, 0)]
)
def test_calls_that_failed_through_us_or_were_refused_by_the_ledger_are_given_back(
    tenant: Tenant, granted: Granted, status: int, counted: int
) -> None:
    granted(tenant.pk, api_calls=10)
    answer = Api.signed_in(tenant).client.get(THINGS, {"status": status})
    assert answer.status_code == status
    assert used(tenant) == counted


def test_a_view_that_raises_gives_its_call_back(tenant: Tenant, granted: Granted) -> None:
    granted(tenant.pk, api_calls=10)
    api = Api.signed_in(tenant)
    api.client.raise_request_exception = False
    api.get(THINGS, {"status": 599}, status=500)
    assert used(tenant) == 0


def test_a_feature_outside_the_plan_is_refused_before_the_view(
    tenant: Tenant, granted: Granted
) -> None:
    granted(tenant.pk, features=(), api_calls=10)
    problem = Api.signed_in(tenant).get(THINGS, status=403)
    assert (problem["code"], problem["feature"], problem["upgrade_to"]) == (
        "feature_not_in_plan", "crm", "free",
    )  # fmt: skip


def test_a_role_that_may_not_write_is_refused(tenant: Tenant, granted: Granted) -> None:
    granted(tenant.pk, api_calls=10)
    problem = Api.signed_in(tenant, "member").post(THINGS, status=403)
    assert (problem["code"], problem["needed_permission"], problem["role"]) == (
        "permission_denied", "campaigns:send", "member",
    )  # fmt: skip


def test_nobody_is_asked_for_credentials_first(tenant: Tenant, granted: Granted) -> None:
    granted(tenant.pk, api_calls=10)
    Api.anonymous(tenant).get(THINGS, status=401)
    assert used(tenant) == 0


def test_a_view_that_declares_nothing_is_not_served(tenant: Tenant, granted: Granted) -> None:
    granted(tenant.pk, api_calls=10)
    problem = Api.signed_in(tenant).get("/forgotten", status=403)
    assert problem["code"] == "permission_denied"


def test_a_public_view_is_open_to_anybody_at_a_rate(tenant: Tenant) -> None:
    api = Api.anonymous(tenant)
    assert api.get("/door") == b"open"
    assert api.last.headers["RateLimit-Policy"] == '"public";q=600;w=60'


def test_a_browser_gets_a_page_and_a_program_a_problem(tenant: Tenant, granted: Granted) -> None:
    granted(tenant.pk, features=(Feature.CRM,))
    api = Api.signed_in(tenant)
    page = api.get("/page", status=403, Accept="text/html")
    assert api.last.headers["Content-Type"].startswith("text/html")
    assert b"Your plan does not include this." in page
    assert api.get("/page", status=403)["code"] == "feature_not_in_plan"


def test_a_suspension_holds_for_the_next_request_and_leaves_the_usage_page(
    tenant: Tenant, granted: Granted
) -> None:
    granted(tenant.pk, api_calls=10)
    api = Api.signed_in(tenant)
    api.get(THINGS)
    suspend(tenant_id=tenant.pk, reason="Unpaid")
    assert api.get(THINGS, status=403)["code"] == "tenant_suspended"
    assert api.get("/api/v1/usage")["plan"] == "free"


def test_a_payment_overdue_leaves_usage_and_entitlements(tenant: Tenant, granted: Granted) -> None:
    granted(tenant.pk, api_calls=10)
    entitlements.hold(tenant_id=tenant.pk, code="subscription_past_due")
    api = Api.signed_in(tenant)
    assert api.get(THINGS, status=402)["code"] == "subscription_past_due"
    assert api.get("/api/v1/entitlements")["hold"] == "subscription_past_due"


def test_without_any_grant_the_gate_is_closed_and_the_usage_page_open(tenant: Tenant) -> None:
    api = Api.signed_in(tenant)
    assert api.get(THINGS, status=403)["code"] == "feature_not_in_plan"
    assert api.get("/api/v1/usage")["plan"] == ""
    assert UNGRANTED_RATE.limit == 60


def test_without_postgresql_the_gate_is_closed(tenant: Tenant, granted: Granted) -> None:
    granted(tenant.pk, api_calls=10)
    api = Api.signed_in(tenant)

    def fail(execute: Any, sql: str, *rest: Any) -> Any:
        if "quotas_grant" in sql:
            raise OperationalError("the server closed the connection unexpectedly")
        return execute(sql, *rest)

    with connection.execute_wrapper(fail):
        assert api.get(THINGS, status=503)["code"] == "service_unavailable"
    assert api.last.headers["Retry-After"] == "5"


def test_the_square_passes_untouched() -> None:
    answer = Client(headers={"Host": "plaza.localhost"}).get("/errors/")
    assert answer.status_code == 200
    assert "RateLimit" not in answer.headers


def test_the_squares_api_has_the_rate_of_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quotas.buckets.PUBLIC_RATE", entitlements.Rate(2, 3_600))
    client = Client(headers={"Host": "plaza.localhost"})
    answers = [client.get("/api/v1/plans") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["RateLimit"] for answer in answers] == [
        '"public";r=1;t=1800', '"public";r=0;t=3600', '"public";r=0;t=3600',
    ]  # fmt: skip
    assert answers[2].json() | {"request_id": ""} == {
        "type": "/errors/rate_limited", "title": "Too many requests.", "status": 429,
        "detail": "Too many requests.", "code": "rate_limited", "request_id": "", "rule": "public",
        "limit": 2, "window_seconds": 3_600, "retry_after_seconds": 1_800,
    }  # fmt: skip


def test_a_sign_in_too_many_is_decided_told_and_explained_as_everything_else(
    tenant: Tenant,
) -> None:
    api, wish = Api.anonymous(tenant), {"email": "ada@example.test", "password": "a wrong guess"}
    for _ in range(10):
        api.post("/api/v1/auth/token", wish, status=401)
    told = api.post("/api/v1/auth/token", wish, status=429)
    wait = int(api.last.headers["Retry-After"])
    assert 1 <= wait <= 60
    facts = ("code", "rule", "limit", "window_seconds", "retry_after_seconds")
    assert [told[fact] for fact in facts] == ["rate_limited", "sign-in:account", 10, 60, wait]
    assert api.last.headers["RateLimit-Policy"] == '"sign-in:account";q=10;w=60'
    assert api.last.headers["RateLimit"] == f'"sign-in:account";r=0;t={wait}'
    explanations.flush()
    why = Api.signed_in(tenant).get("/api/v1/usage/explain", {"request_id": told["request_id"]})
    named = ("code", "rule", "limit", "used", "remaining", "retry_after")
    assert [why[name] for name in named] == [
        "rate_limited",
        "rate:sign-in:account",
        10,
        10,
        0,
        wait,
    ]


def test_an_address_forged_in_a_header_changes_no_limit(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quotas.buckets.PUBLIC_RATE", entitlements.Rate(2, 3_600))
    client = Client(headers={"Host": host_of(tenant.slug)})
    answers = [
        client.get("/door", headers={"X-Forwarded-For": f"198.51.100.{number}"}).status_code
        for number in range(4)
    ]
    assert answers == [200, 200, 429, 429]
