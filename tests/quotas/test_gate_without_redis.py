"""Redis killed, stalled, and back: requests pass within bounds, and no call is lost."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from config.breaker import PROBE_EVERY_SECONDS
from config.needs import Needs
from config.quick_redis import (
    INSISTENCE_SECONDS,
    SILENCE_SECONDS,
    TIMEOUT_SECONDS,
    insistent_redis,
)
from quotas import api_calls
from quotas.counters import counters
from quotas.decision import Decision
from quotas.local_limiter import LOCAL_SHARE
from quotas.models import UsageTotal
from tenants.models import Tenant

pytestmark = pytest.mark.django_db
Ask = Callable[..., Decision]
Granted = Callable[..., None]


@pytest.fixture
def stalled(valkey: Any) -> Iterator[Callable[[], None]]:
    """Stop the server's process; the test's end wakes it, so that it can be killed."""
    yield lambda: valkey.signal(signal.SIGSTOP)
    valkey.signal(signal.SIGCONT)


def total(tenant: Tenant) -> int:
    return sum(UsageTotal.objects.filter(tenant_id=tenant.pk).values_list("used", flat=True))


def admitted(ask: Ask, times: int, needs: Needs | None = None) -> int:
    """Requests that are let in, answered, and so counted."""
    decisions = [ask(needs) for _ in range(times)]
    for decision in decisions:
        decision.settle(kept=1)
    return sum(decision.allowed for decision in decisions)


def epoch(decision: Decision) -> str:
    """That of Redis's counters which let it in; empty where this process did."""
    assert decision.ticket is not None
    return decision.ticket.epoch


def test_a_killed_redis_lets_requests_through_and_loses_no_call(
    ask: Ask, tenant: Tenant, granted: Granted, valkey: Any
) -> None:
    granted(tenant.pk, api_calls=None, rates={"tenant": (6_000, 60)})
    assert admitted(ask, 5) == 5
    api_calls.flush()
    valkey.kill()
    assert admitted(ask, 50) == 50
    api_calls.flush()
    assert total(tenant) == 55


def test_a_stalled_redis_costs_one_time_out_and_then_nothing(
    ask: Ask,
    tenant: Tenant,
    granted: Granted,
    stalled: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("config.quick_redis.TIMEOUT_SECONDS", TIMEOUT_SECONDS)
    granted(tenant.pk, api_calls=None, rates={"tenant": (60_000, 60)})
    ask()
    stalled()
    started = time.monotonic()
    assert ask().allowed
    first = time.monotonic() - started
    assert admitted(ask, 100) == 100
    others = time.monotonic() - started - first
    assert TIMEOUT_SECONDS == 0.05
    assert 0.05 <= first < 0.5
    # Within a second of the first failure nobody probes; 100 x 50 ms would be 5 s.
    assert others < 2


def test_without_redis_a_process_stays_within_its_share_of_the_rate(
    ask: Ask, tenant: Tenant, granted: Granted, valkey: Any
) -> None:
    granted(tenant.pk, api_calls=None, rates={"tenant": (80, 3_600)})
    valkey.kill()
    assert admitted(ask, 40) == 80 // LOCAL_SHARE
    refused = ask()
    assert refused.refusal is not None
    assert refused.refusal.code == "rate_limited"
    api_calls.flush()
    assert total(tenant) == 80 // LOCAL_SHARE


def test_without_redis_public_and_critical_views_are_limited_too(ask: Ask, valkey: Any) -> None:
    valkey.kill()
    for needs, share in ((Needs(public=True), 75), (Needs(critical=True), 37)):
        assert share <= admitted(ask, 100, needs) <= share + 2


def test_when_redis_is_back_it_decides_again_from_the_ledgers_total(
    ask: Ask, tenant: Tenant, granted: Granted, valkey: Any
) -> None:
    granted(tenant.pk, api_calls=10, rates={"tenant": (6_000, 60)})
    assert admitted(ask, 3) == 3
    api_calls.flush()
    valkey.kill()
    assert admitted(ask, 4) == 4
    assert counters().server.breaker.is_open
    valkey.start()
    time.sleep(PROBE_EVERY_SECONDS + 0.1)
    assert admitted(ask, 6) == 3
    assert not counters().server.breaker.is_open
    api_calls.flush()
    assert total(tenant) == 10


def test_a_redis_that_was_stalled_and_wakes_keeps_its_counters_and_decides_again(
    ask: Ask, tenant: Tenant, granted: Granted, valkey: Any, stalled: Callable[[], None]
) -> None:
    granted(tenant.pk, api_calls=100, rates={"tenant": (6_000, 60)})
    assert admitted(ask, 3) == 3
    counters().server.breaker.open()  # known to be away before it stalls: no call is in flight
    stalled()
    assert admitted(ask, 4) == 4
    valkey.signal(signal.SIGCONT)
    time.sleep(PROBE_EVERY_SECONDS + 0.1)
    assert admitted(ask, 2) == 2
    assert not counters().server.breaker.is_open
    api_calls.flush()
    assert total(tenant) == 9


def test_a_question_given_up_is_not_counted_when_the_server_wakes(
    ask: Ask, tenant: Tenant, granted: Granted, valkey: Any, stalled: Callable[[], None]
) -> None:
    granted(tenant.pk, api_calls=100, rates={"tenant": (6_000, 60)})
    asked, failed = ask(), ask()
    stalled()
    given_up = ask()  # waits for its time-out, and is decided here
    assert epoch(given_up) == ""
    failed.settle(kept=0)
    valkey.signal(signal.SIGCONT)
    time.sleep(PROBE_EVERY_SECONDS + 0.1)
    again = ask()
    assert epoch(again) == epoch(asked)
    for decision in (asked, given_up, again):
        decision.settle(kept=1)
    api_calls.flush()
    assert total(tenant) == 3


def test_a_call_that_fails_without_redis_is_not_counted(
    ask: Ask, tenant: Tenant, granted: Granted, valkey: Any
) -> None:
    granted(tenant.pk, api_calls=10)
    decision = ask()
    valkey.kill()
    decision.settle(kept=0)
    local = ask()
    api_calls.flush()
    assert total(tenant) == 0
    local.settle(kept=1)
    local.settle(kept=1)
    api_calls.flush()
    assert total(tenant) == 1


def test_the_flush_needs_no_redis_and_tells_it_when_it_is_back(
    ask: Ask, tenant: Tenant, granted: Granted, valkey: Any
) -> None:
    granted(tenant.pk, api_calls=3)
    assert admitted(ask, 1) == 1
    valkey.kill()
    assert admitted(ask, 1) == 1
    assert api_calls.flush() == 1
    assert total(tenant) == 2
    valkey.start()
    time.sleep(PROBE_EVERY_SECONDS + 0.1)
    assert admitted(ask, 3) == 1
    assert api_calls.flush() == 1
    assert total(tenant) == 3


def test_a_process_that_heard_nothing_of_redis_for_long_trusts_nothing_of_before(
    valkey: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.quick_redis.SILENCE_SECONDS", 0.2)
    server = counters().server
    server.ask(lambda client: client.ping())
    known = server.connected
    server.ask(lambda client: client.ping())
    assert server.connected == known
    time.sleep(0.3)
    server.ask(lambda client: client.ping())
    assert server.connected == known + 1
    time.sleep(0.3)
    assert server.connected == known + 2


def test_whoever_insists_waits_for_a_redis_that_stands_still(
    valkey: Any, stalled: Callable[[], None]
) -> None:
    insistent_redis().insist(lambda client: client.ping())
    stalled()
    threading.Timer(0.5, valkey.signal, [signal.SIGCONT]).start()
    began = time.monotonic()
    assert insistent_redis().insist(lambda client: client.ping()) is True
    assert 0.4 < time.monotonic() - began < INSISTENCE_SECONDS
    assert INSISTENCE_SECONDS > SILENCE_SECONDS


def test_a_pooled_connection_that_redis_closed_costs_a_retry_and_no_fallback(
    ask: Ask, tenant: Tenant, granted: Granted, valkey: Any
) -> None:
    granted(tenant.pk, api_calls=None)
    ask()
    valkey.kill()
    valkey.start()
    assert epoch(ask()) != ""
    assert not counters().server.breaker.is_open
