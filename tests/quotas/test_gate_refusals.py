"""Who is refused, for what, and in which order."""

from collections.abc import Callable
from typing import Any

import pytest
import redis
from django.conf import settings

from config.ids import new_id
from config.needs import Feature, Needs, Permission, Role
from quotas import buckets, entitlements
from quotas.decision import Decision
from tenants.identity.caller import ANONYMOUS
from tenants.models import Tenant
from tests.quotas.conftest import UNMETERED, caller_in, code, facts

pytestmark = pytest.mark.django_db
Ask = Callable[..., Decision]
Granted = Callable[..., None]


def test_a_feature_outside_the_plan_names_the_plan_that_has_it(
    ask: Ask, tenant: Tenant, granted: Granted
) -> None:
    granted(tenant.pk, features=(Feature.CRM,), api_calls=None)
    assert code(ask(Needs(feature=Feature.CRM))) == ""
    refused = ask(Needs(feature=Feature.SINGLE_SIGN_ON))
    assert code(refused) == "feature_not_in_plan"
    assert facts(refused) == {"feature": "single_sign_on", "upgrade_to": "scale"}


@pytest.mark.parametrize(
    ("role", "method", "refused"),
    [
        (Role.READ_ONLY, "GET", ""),
        (Role.READ_ONLY, "POST", "permission_denied"),
        (Role.MEMBER, "POST", ""),
        (Role.BILLING, "PATCH", "permission_denied"),
        (Role.OWNER, "DELETE", ""),
    ],
)
def test_a_role_may_what_the_view_declares_for_the_method(
    ask: Ask, tenant: Tenant, granted: Granted, role: Role, method: str, refused: str
) -> None:
    granted(tenant.pk)
    assert code(ask(UNMETERED, caller=caller_in(tenant, role), method=method)) == refused


def test_the_refusal_names_the_permission_that_is_needed(
    ask: Ask, tenant: Tenant, granted: Granted
) -> None:
    granted(tenant.pk)
    refused = ask(
        Needs(read=Permission.AUDIT_READ, meter=None), caller=caller_in(tenant, Role.EDITOR)
    )
    assert facts(refused) == {"needed_permission": "audit:read", "role": "editor"}


@pytest.mark.parametrize(
    ("scopes", "method", "refused"),
    [
        ({"read"}, "GET", ""),
        ({"read"}, "HEAD", ""),
        ({"read"}, "POST", "permission_denied"),
        ({"read", "write"}, "PUT", ""),
        ({"read", "write"}, "DELETE", "permission_denied"),
        ({"delete"}, "DELETE", ""),
        ({"write"}, "GET", "permission_denied"),
        (set(), "GET", "permission_denied"),
    ],
)
def test_a_key_may_what_its_scopes_say(
    ask: Ask, tenant: Tenant, granted: Granted, scopes: set[str], method: str, refused: str
) -> None:
    granted(tenant.pk)
    caller = caller_in(tenant, scopes=frozenset(scopes))
    assert code(ask(UNMETERED, caller=caller, method=method)) == refused


@pytest.mark.parametrize("needs", [UNMETERED, Needs(critical=True)])
def test_nobody_and_another_tenants_caller_are_refused(
    ask: Ask, tenant: Tenant, granted: Granted, needs: Needs
) -> None:
    granted(tenant.pk)
    stranger = caller_in(Tenant(pk=new_id()))
    assert [code(ask(needs, caller=caller)) for caller in (ANONYMOUS, stranger)] == [
        "permission_denied"
    ] * 2


def test_a_suspended_tenant_is_refused_with_its_reason(
    ask: Ask, tenant: Tenant, granted: Granted
) -> None:
    granted(tenant.pk)
    tenant.status, tenant.suspended_reason = Tenant.Status.SUSPENDED, "Abuse of mail."
    refused = ask(UNMETERED)
    assert code(refused) == "tenant_suspended"
    assert facts(refused) == {
        "state": "suspended",
        "reason": "Abuse of mail.",
        "support": settings.PLAZA_SUPPORT_URL,
    }


def test_a_hold_refuses_and_its_end_lets_the_next_request_through(
    ask: Ask, tenant: Tenant, granted: Granted
) -> None:
    granted(tenant.pk)
    entitlements.hold(tenant_id=tenant.pk, code="subscription_past_due")
    assert code(ask(UNMETERED)) == "subscription_past_due"
    entitlements.hold(tenant_id=tenant.pk, code=None)
    assert code(ask(UNMETERED)) == ""


def test_a_read_only_hold_refuses_what_writes_and_lets_readers_go_on(
    ask: Ask, tenant: Tenant, granted: Granted
) -> None:
    granted(tenant.pk)
    entitlements.hold(tenant_id=tenant.pk, code="subscription_read_only")

    asked = {method: code(ask(UNMETERED, method=method)) for method in ("GET", "HEAD", "POST")}

    assert asked == {"GET": "", "HEAD": "", "POST": "subscription_past_due"}
    assert facts(ask(UNMETERED, method="DELETE")) == {
        "degree": "read_only",
        "support": settings.PLAZA_SUPPORT_URL,
    }


def test_refusals_come_in_the_order_of_the_house(
    ask: Ask, tenant: Tenant, granted: Granted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything is wrong at first; what is refused first is put right, one after the other."""
    reader = caller_in(tenant, Role.READ_ONLY)
    needs = Needs(feature=Feature.CRM)
    granted(tenant.pk, features=(), rates={"tenant": (1, 3_600)}, api_calls=1)
    monkeypatch.setattr(buckets, "ADDRESS_RATE", entitlements.Rate(2, 3_600))

    def asked(caller: Any = reader) -> str:
        return code(ask(needs, caller=caller, method="POST"))

    assert code(ask(needs=UNMETERED)) == ""  # the tenant's rate and half the address's are used up
    tenant.status = Tenant.Status.SUSPENDED
    entitlements.hold(tenant_id=tenant.pk, code="subscription_past_due")
    assert asked() == "tenant_suspended"
    tenant.status = Tenant.Status.ACTIVE
    assert asked() == "subscription_past_due"
    entitlements.hold(tenant_id=tenant.pk, code=None)
    assert [asked(), asked()] == ["feature_not_in_plan", "rate_limited"]
    assert facts(ask(needs, caller=reader))["rule"] == "address"
    monkeypatch.setattr(buckets, "ADDRESS_RATE", entitlements.Rate(6_000, 60))
    _forget("address")
    assert asked() == "feature_not_in_plan"
    granted(tenant.pk, rates={"tenant": (1, 3_600)}, api_calls=0)
    assert asked() == "permission_denied"
    assert asked(caller_in(tenant)) == "rate_limited"
    granted(tenant.pk, api_calls=0)
    _forget("tenant")
    assert asked(caller_in(tenant)) == "quota_exceeded"


def _forget(name: str) -> None:
    client = redis.Redis.from_url(settings.REDIS_URL)
    for key in client.scan_iter(f"plaza:*:rate:{name}*"):
        client.delete(key)
    client.close()


def test_a_refused_tenant_reaches_critical_views(ask: Ask, tenant: Tenant) -> None:
    entitlements.hold(tenant_id=tenant.pk, code="subscription_past_due")
    tenant.status = Tenant.Status.SUSPENDED
    assert code(ask(Needs(feature=Feature.CRM, critical=True))) == ""


def test_critical_views_have_a_fixed_rate_and_ask_for_the_role(
    ask: Ask, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buckets, "CRITICAL_RATE", entitlements.Rate(2, 3_600))
    needs = Needs(read=Permission.BILLING_READ, critical=True)
    assert [code(ask(needs)) for _ in range(3)] == ["", "", "rate_limited"]
    member = caller_in(tenant, Role.MEMBER, credential_id="member:2")
    assert code(ask(needs, caller=member)) == "permission_denied"


def test_public_views_have_a_fixed_rate_for_each_address(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(buckets, "PUBLIC_RATE", entitlements.Rate(2, 3_600))
    needs = Needs(public=True)
    with django_assert_num_queries(0):
        asked = [code(ask(needs, caller=ANONYMOUS, address="203.0.113.1")) for _ in range(3)]
        assert asked == ["", "", "rate_limited"]
        assert code(ask(needs, caller=ANONYMOUS, address="203.0.113.2")) == ""


def test_one_customers_ipv6_addresses_share_a_rate(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buckets, "PUBLIC_RATE", entitlements.Rate(2, 3_600))
    asked = [code(ask(Needs(public=True), address=f"2001:db8::{last}")) for last in range(1, 4)]
    assert asked == ["", "", "rate_limited"]
