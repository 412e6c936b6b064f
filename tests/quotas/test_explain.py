"""Every kind of refusal can be asked why: the rule, the grant that decided and what the counter stood at."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from quotas import buckets, entitlements, explanations
from quotas.waiting_room import Overloaded
from tenants.life import close
from tenants.models import Tenant
from tenants.services import suspend
from tests.client import Api
from tests.quotas.conftest import NOON

pytestmark = pytest.mark.django_db
Granted = Callable[..., None]
THINGS, EXPLAIN = "/api/v1/things", "/api/v1/usage/explain"
_NEVER: dict[str, tuple[int, int]] = {"tenant": (600, 60)}


@pytest.fixture(autouse=True)
def _stall(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.quotas.stall_urls"


def why(api: Api, *, asker: Api | None = None, status: int = 200) -> Any:
    """The explanation of `api`'s last request, as `asker` (itself, if not said) gets it."""
    request_id = api.last.headers["X-Request-ID"]
    explanations.flush()
    return (asker or api).get(EXPLAIN, {"request_id": request_id}, status=status)


def told(found: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(found[name] for name in ("rule", "code", *names))


def deciding(found: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(each["source"], each["states"]) for each in found["grants"] if each["decides"]]


def test_a_suspended_and_a_closed_tenant_are_told_of_their_state(
    tenant: Tenant, granted: Granted, now: datetime
) -> None:
    granted(tenant.pk)
    api = Api.signed_in(tenant)
    suspend(tenant_id=tenant.pk, reason="Unpaid")
    api.get(THINGS, status=403)
    found = why(api)
    assert told(found, "plan", "limit", "grants") == ("state", "tenant_suspended", "free", None, [])
    assert (found["facts"]["reason"], found["method"], found["path"]) == ("Unpaid", "GET", THINGS)
    close(tenant_id=tenant.pk, reason="Leaving", by="test", now=now)
    api.get(THINGS, status=403)
    assert told(why(api)) == ("state", "tenant_closing")


def test_a_restriction_of_billing_is_told(tenant: Tenant, granted: Granted) -> None:
    granted(tenant.pk)
    entitlements.hold(tenant_id=tenant.pk, code="subscription_past_due")
    api = Api.signed_in(tenant)
    api.get(THINGS, status=402)
    assert told(why(api), "hold") == ("state", "subscription_past_due", "subscription_past_due")


def test_a_missing_feature_names_the_grants_that_lack_it(tenant: Tenant, granted: Granted) -> None:
    granted(tenant.pk, features=())
    granted(tenant.pk, source="override", plan="", features=("content",), priority=9, rates={})
    api = Api.signed_in(tenant)
    api.get(THINGS, status=403)
    found = why(api)
    assert told(found, "upgrade_to") == ("feature:crm", "feature_not_in_plan", "free")
    assert [each["source"] for each in found["grants"]] == ["override", "plan"]
    assert deciding(found) == []


def test_a_missing_role_is_told(tenant: Tenant, granted: Granted) -> None:
    granted(tenant.pk)
    api = Api.signed_in(tenant, "member")
    api.post(THINGS, status=403)
    found = why(api)
    assert told(found, "role") == ("role", "permission_denied", "member")
    assert found["facts"] == {"needed_permission": "campaigns:send", "role": "member"}


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        ("tenant", THINGS),
        ("credential", THINGS),
        ("endpoint:content_generate", "/api/v1/generated"),
    ],
)
def test_a_rate_of_the_plan_is_told_with_the_grant_that_states_it(
    tenant: Tenant, granted: Granted, scope: str, path: str
) -> None:
    granted(tenant.pk, api_calls=None, rates={"tenant": (600, 60), scope: (2, 3_600)})
    api = Api.signed_in(tenant)
    for _ in range(2):
        api.get(path)
    api.get(path, status=429)
    found = why(api)
    assert told(found, "limit", "used", "remaining") == (
        f"rate:{scope}", "rate_limited", 2, 2, 0,
    )  # fmt: skip
    assert 1_790 <= found["retry_after"] <= 1_800
    assert deciding(found) == [("plan", {"limit": 2, "seconds": 3_600, "adds": None})]


def test_the_rate_of_an_address_is_the_houses_own(
    tenant: Tenant, granted: Granted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buckets, "ADDRESS_RATE", entitlements.Rate(1, 60))
    granted(tenant.pk, api_calls=None, rates={"tenant": (1, 3_600)})
    api = Api.signed_in(tenant)
    api.get(THINGS)
    api.get(THINGS, status=429)
    assert told(why(api), "limit", "grants") == ("rate:address", "rate_limited", 1, [])


def test_as_many_at_once_as_may_are_told(
    tenant: Tenant, granted: Granted, ask: Callable[..., Any]
) -> None:
    granted(tenant.pk, api_calls=None, rates=_NEVER | {"concurrency": (1, 60)})
    running = ask(now=datetime.now(UTC))
    api = Api.signed_in(tenant)
    api.get(THINGS, status=429)
    running.settle(kept=1)
    found = why(api)
    assert told(found, "limit", "used") == ("concurrency", "too_many_at_once", 1, 1)
    assert deciding(found) == [("plan", {"limit": 1, "seconds": 60, "adds": None})]


def test_of_two_grants_the_override_is_told_as_deciding_and_until_when(
    tenant: Tenant, granted: Granted
) -> None:
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
    granted(tenant.pk, api_calls=100)
    granted(
        tenant.pk, source="override", plan="", features=(), priority=9, rates={}, expires_at=ends,
        api_calls=1,
    )  # fmt: skip
    api = Api.signed_in(tenant)
    api.get(THINGS)
    api.get(THINGS, status=402)
    found = why(api)
    assert told(found, "limit", "used", "plan", "upgrade_to") == (
        "meter:api_calls", "quota_exceeded", 1, 1, "free", "starter",
    )  # fmt: skip
    assert deciding(found) == [("override", {"limit": 1, "seconds": None, "adds": None})]
    assert found["grants"][0]["expires_at"] == ends.isoformat().replace("+00:00", "Z")
    assert [each["source"] for each in found["grants"]] == ["override", "plan"]


def test_among_equals_the_more_generous_grant_decides(tenant: Tenant, granted: Granted) -> None:
    granted(tenant.pk, source="addon", plan="", features=(), rates={}, api_calls=2)
    granted(tenant.pk, api_calls=1, now=NOON + timedelta(days=1))
    api = Api.signed_in(tenant)
    for _ in range(2):
        api.get(THINGS)
    api.get(THINGS, status=402)
    assert deciding(why(api)) == [("addon", {"limit": 2, "seconds": None, "adds": None})]


def test_what_an_add_on_adds_and_why_it_was_given_are_told(
    tenant: Tenant, granted: Granted
) -> None:
    granted(tenant.pk, api_calls=1)
    entitlements.grant(
        tenant_id=tenant.pk, source="addon", plan="", features=(), limits={}, rates={}, ladder={},
        feature_ladder={}, adds={"api_calls": 1}, reason="Fair", now=NOON,
    )  # fmt: skip
    api = Api.signed_in(tenant)
    for _ in range(2):
        api.get(THINGS)
    api.get(THINGS, status=402)
    found = why(api)
    assert told(found, "limit", "used") == ("meter:api_calls", "quota_exceeded", 2, 2)
    assert deciding(found) == [("plan", {"limit": 1, "seconds": None, "adds": None})]
    other = found["grants"][1]
    assert (other["source"], other["states"]["adds"], other["reason"]) == ("addon", 1, "Fair")


def test_what_the_ledger_refuses_inside_the_view_is_told_too(
    tenant: Tenant, granted: Granted
) -> None:
    granted(tenant.pk, plan="free", contacts=3)
    api = Api.signed_in(tenant)
    api.post("/api/v1/kept", {"contacts": 2})
    api.post("/api/v1/kept", {"contacts": 2}, status=402)
    found = why(api)
    assert told(found, "limit", "used", "remaining", "resets_at") == (
        "meter:contacts", "quota_exceeded", 3, 2, 1, None,
    )  # fmt: skip
    assert found["facts"]["asked"] == 2
    assert deciding(found) == [("plan", {"limit": 3, "seconds": None, "adds": None})]


def test_an_overload_is_told(
    tenant: Tenant, granted: Granted, monkeypatch: pytest.MonkeyPatch
) -> None:
    granted(tenant.pk)
    api = Api.signed_in(tenant)

    class Full:
        def enter(self, needs: object, **_: object) -> float:
            raise Overloaded()

    with monkeypatch.context() as patched:
        patched.setattr("quotas.middleware.waiting_room", Full)
        api.get(THINGS, status=503)
    assert told(why(api), "limit", "retry_after") == ("load", "overloaded", None, 2)
