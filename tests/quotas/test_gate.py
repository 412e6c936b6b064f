import re
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis
from django.http import HttpResponse

from config.ids import new_id
from config.needs import Meter, Needs
from quotas import buckets
from quotas.buckets import UNGRANTED_RATE
from quotas.decision import Decision
from quotas.entitlements import Rate
from tenants.models import Tenant
from tests.quotas.conftest import NOON, UNMETERED, caller_in, code, facts

pytestmark = pytest.mark.django_db
Ask = Callable[..., Decision]
Granted = Callable[..., None]
SLOW = {"tenant": (3, 3_600)}


def test_a_rate_lets_through_what_it_says_and_one_more_is_refused(
    ask: Ask, tenant: Tenant, granted: Granted
) -> None:
    granted(tenant.pk, rates=SLOW)
    assert [code(ask(UNMETERED)) for _ in range(4)] == ["", "", "", "rate_limited"]
    refused = ask(UNMETERED)
    assert refused.refusal is not None
    assert facts(refused)["rule"] == "tenant"
    assert 1_190 <= facts(refused)["retry_after_seconds"] <= 1_200
    assert refused.refusal.headers["Retry-After"] == str(facts(refused)["retry_after_seconds"])


def test_a_rate_refills_evenly(ask: Ask, tenant: Tenant, granted: Granted) -> None:
    granted(tenant.pk, rates={"tenant": (4, 2)})
    for _ in range(4):
        ask(UNMETERED)
    assert code(ask(UNMETERED)) == "rate_limited"
    time.sleep(0.55)
    assert [code(ask(UNMETERED)) for _ in range(2)] == ["", "rate_limited"]


def test_the_state_of_each_rate_is_told(ask: Ask, tenant: Tenant, granted: Granted) -> None:
    granted(tenant.pk, rates={"tenant": (600, 60), "credential": (10, 60)})
    answer = ask(UNMETERED).stamp(HttpResponse())
    assert answer["RateLimit-Policy"] == '"tenant";q=600;w=60, "credential";q=10;w=60'
    assert answer["RateLimit"] == '"tenant";r=599;t=1, "credential";r=9;t=6'


def test_a_credential_has_a_rate_of_its_own(ask: Ask, tenant: Tenant, granted: Granted) -> None:
    granted(tenant.pk, rates={"tenant": (600, 3_600), "credential": (2, 3_600)})
    one, other = (caller_in(tenant, credential_id=f"key:{name}") for name in "ab")
    assert [code(ask(UNMETERED, caller=one)) for _ in range(3)] == ["", "", "rate_limited"]
    refused = ask(UNMETERED, caller=one)
    assert facts(refused)["rule"] == "credential"
    assert code(ask(UNMETERED, caller=other)) == ""


def test_tenants_do_not_share_a_rate(ask: Ask, tenant: Tenant, granted: Granted) -> None:
    granted(tenant.pk, rates=SLOW)
    other = Tenant(pk=new_id(), status=Tenant.Status.ACTIVE)
    granted(other.pk, rates=SLOW)
    for _ in range(4):
        ask(UNMETERED)
    assert code(ask(UNMETERED, at=other, caller=caller_in(other))) == ""


def test_the_last_api_call_passes_and_one_more_never(
    ask: Ask, tenant: Tenant, granted: Granted
) -> None:
    granted(tenant.pk, plan="free", api_calls=3)
    assert [code(ask()) for _ in range(4)] == ["", "", "", "quota_exceeded"]
    assert facts(ask()) == {
        "meter": "api_calls", "limit": 3, "used": 3, "asked": 1,
        "resets_at": "2026-12-01T00:00:00Z", "upgrade_to": "starter",
    }  # fmt: skip


def test_a_cost_counts_whole_or_not_at_all(ask: Ask, tenant: Tenant, granted: Granted) -> None:
    granted(tenant.pk, api_calls=10)
    costs = [4, 4, 4, 2, 1]
    assert [code(ask(Needs(cost=cost))) for cost in costs] == [
        "",
        "",
        "quota_exceeded",
        "",
        "quota_exceeded",
    ]


def test_a_raised_limit_holds_for_the_next_request(
    ask: Ask, tenant: Tenant, granted: Granted
) -> None:
    granted(tenant.pk, plan="free", api_calls=1)
    assert [code(ask()) for _ in range(2)] == ["", "quota_exceeded"]
    granted(tenant.pk, plan="starter", api_calls=2)
    assert [code(ask()) for _ in range(2)] == ["", "quota_exceeded"]


def test_refused_calls_count_against_no_rate_and_refused_rates_against_no_quota(
    ask: Ask, tenant: Tenant, granted: Granted
) -> None:
    granted(tenant.pk, api_calls=1, rates=SLOW)
    ask()
    for _ in range(5):
        assert code(ask()) == "quota_exceeded"
    granted(tenant.pk, api_calls=100, rates=SLOW)
    assert [code(ask()) for _ in range(5)] == [
        "",
        "",
        "rate_limited",
        "rate_limited",
        "rate_limited",
    ]
    granted(tenant.pk, api_calls=4, rates={"tenant": (600, 60)})
    assert [code(ask()) for _ in range(2)] == ["", "quota_exceeded"]


def test_what_is_given_back_can_be_used(ask: Ask, tenant: Tenant, granted: Granted) -> None:
    granted(tenant.pk, api_calls=1)
    failed = ask()
    failed.settle(kept=0)
    failed.settle(kept=0)
    kept = ask()
    kept.settle(kept=1)
    assert [code(kept), code(ask())] == ["", "quota_exceeded"]


def test_an_unmetered_view_counts_no_call(ask: Ask, tenant: Tenant, granted: Granted) -> None:
    granted(tenant.pk, api_calls=0)
    assert code(ask(UNMETERED)) == ""
    assert code(ask(Needs(meter=Meter.CONTACTS))) == ""


def test_a_tenant_without_a_granted_rate_has_a_small_one(
    ask: Ask, tenant: Tenant, granted: Granted
) -> None:
    granted(tenant.pk, rates={})
    tightest = ask(UNMETERED).tightest
    assert tightest is not None
    assert (tightest.name, tightest.rate) == ("tenant", UNGRANTED_RATE)


def test_a_warm_decision_is_one_query_and_one_round_trip(
    ask: Ask, tenant: Tenant, granted: Granted, django_assert_num_queries: Any, valkey: Any
) -> None:
    granted(tenant.pk, api_calls=100, rates={"tenant": (600, 60), "credential": (300, 60)})
    ask()
    client = redis.Redis.from_url(valkey.url)
    client.config_resetstat()
    with django_assert_num_queries(1):
        assert code(ask()) == ""
    calls = {name: stats["calls"] for name, stats in client.info("commandstats").items()}
    sent = {
        name
        for name in calls
        if name.removeprefix("cmdstat_") in {"evalsha", "eval", "script|load", "ping"}
    }
    assert sent == {"cmdstat_evalsha"}
    assert calls["cmdstat_evalsha"] == 1
    client.close()


def test_all_keys_of_a_tenant_share_one_hash_tag_and_hold_whole_microseconds(
    ask: Ask, tenant: Tenant, granted: Granted, valkey: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "ADDRESS_RATE",
        "PUBLIC_RATE",
        "CRITICAL_RATE",
    ):  # slow: keys go when they are full
        monkeypatch.setattr(buckets, name, Rate(7, 3_600))
    granted(tenant.pk, api_calls=100, rates={"tenant": (7, 3_600), "credential": (30, 3_600)})
    for needs in (None, Needs(critical=True), Needs(public=True)):
        ask(needs)
    client = redis.Redis.from_url(valkey.url, decode_responses=True)
    keys = set(client.scan_iter())
    assert len(keys) == 7
    assert all(key.startswith(f"plaza:{{{tenant.pk.hex}}}:") for key in keys)
    for key in keys:
        assert client.pttl(key) > 0
        if ":rate:" in key:
            assert re.fullmatch(r"\d{16}", str(client.get(key)))
    client.close()


def test_the_calls_of_a_month_are_not_those_of_the_next(
    ask: Ask, tenant: Tenant, granted: Granted
) -> None:
    granted(tenant.pk, api_calls=1)
    december = NOON.replace(month=12, day=1, hour=0)
    assert [code(ask()), code(ask()), code(ask(now=december))] == ["", "quota_exceeded", ""]
