"""The script under many clients at once, without a database."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from typing import Any
from uuid import UUID

import django
import pytest

from config.ids import new_id
from quotas.counters import Beginning, Counters, CountersUnbegun, calls_key, key_of
from quotas.entitlements import Rate
from quotas.verdicts import Bucket, Calls

NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)


def calls(tenant_id: UUID, asked: int = 1, limit: int | None = None) -> Calls:
    return Calls(tenant_id, NOVEMBER, asked, limit)


def bucket(tenant_id: UUID, limit: int, seconds: int = 3_600, cost: int = 1) -> Bucket:
    return Bucket("tenant", key_of(tenant_id, "rate", "tenant"), Rate(limit, seconds), cost)


@pytest.fixture
def counters(valkey: Any) -> Counters:
    return Counters(valkey.url, timeout_seconds=5)


def admitted_by_one_process(facts: tuple[str, str, int, int]) -> int:
    url, tenant, limit, attempts = facts
    mine, tenant_id = Counters(url, timeout_seconds=5), UUID(tenant)
    begin = Beginning("epoch", 0)

    def one(_: int) -> bool:
        verdict = mine.take([bucket(tenant_id, 10**6)], calls(tenant_id, limit=limit), begin)
        return not (verdict.is_exhausted or verdict.refused_by)

    with ThreadPoolExecutor(8) as pool:
        return sum(pool.map(one, range(attempts)))


def test_32_clients_in_4_processes_get_exactly_the_quota_five_times(valkey: Any) -> None:
    clean = get_context("forkserver")
    with ProcessPoolExecutor(4, mp_context=clean, initializer=django.setup) as processes:
        for _ in range(5):
            facts = (valkey.url, str(new_id()), 1_000, 400)
            assert sum(processes.map(admitted_by_one_process, [facts] * 4)) == 1_000


def test_64_threads_on_a_rate_get_exactly_its_limit(counters: Counters) -> None:
    tenant_id = new_id()

    def one(_: int) -> bool:
        return not counters.take([bucket(tenant_id, 100)], calls(tenant_id, 0)).refused_by

    with ThreadPoolExecutor(64) as pool:
        assert sum(pool.map(one, range(256))) == 100


@pytest.mark.parametrize(("limit", "seconds"), [(7, 3_600), (600, 3_600), (9_999, 86_400)])
def test_no_rounding_admits_one_more_or_one_less(
    counters: Counters, limit: int, seconds: int
) -> None:
    tenant_id = new_id()
    rate = bucket(tenant_id, limit, seconds)
    refused = [counters.take([rate], calls(tenant_id, 0)).refused_by for _ in range(limit + 1)]
    assert refused == [""] * limit + ["tenant"]


def test_a_cost_above_the_whole_rate_takes_the_whole_rate(counters: Counters) -> None:
    tenant_id = new_id()
    verdict = counters.take([bucket(tenant_id, 10, cost=500)], calls(tenant_id, 0))
    assert (verdict.refused_by, verdict.rates[0].remaining) == ("", 0)
    assert counters.take([bucket(tenant_id, 10)], calls(tenant_id, 0)).refused_by == "tenant"


def test_a_refusal_says_when_the_next_try_passes(counters: Counters) -> None:
    tenant_id = new_id()
    counters.take([bucket(tenant_id, 10, cost=10)], calls(tenant_id, 0))
    verdict = counters.take([bucket(tenant_id, 10, cost=3)], calls(tenant_id, 0))
    assert 1_079 < verdict.retry_seconds <= 1_080
    assert (verdict.rates[0].remaining, verdict.rates[0].resets_seconds) == (0, 3_600)


def test_counters_that_are_not_begun_ask_for_the_ledgers_total(counters: Counters) -> None:
    tenant_id = new_id()
    with pytest.raises(CountersUnbegun):
        counters.take([bucket(tenant_id, 1)], calls(tenant_id, limit=10))
    assert counters.take([bucket(tenant_id, 1)], calls(tenant_id, 0)).refused_by == ""
    begun = counters.take([], calls(tenant_id, limit=10), Beginning("first", 8))
    again = counters.take([], calls(tenant_id, limit=10), Beginning("second", 0))
    over = counters.take([], calls(tenant_id, limit=10))
    assert [(each.calls_used, each.epoch) for each in (begun, again)] == [
        (9, "first"),
        (10, "first"),
    ]
    assert (over.is_exhausted, over.calls_used) == (True, 10)


def test_only_the_epoch_that_counted_takes_back(counters: Counters) -> None:
    tenant_id = new_id()
    counters.take([], calls(tenant_id, 5), Beginning("now", 0))
    assert counters.give_back(calls(tenant_id, 2), "before") is False
    assert counters.give_back(calls(tenant_id, 2), "now") is True
    found = counters.read([calls_key(tenant_id, NOVEMBER)])[0]
    assert found == ("now", 0, 5, 2)


def test_numbers_beyond_14_digits_stay_exact(counters: Counters) -> None:
    tenant_id, many = new_id(), 1_234_567_890_123_456
    counters.take([], calls(tenant_id, 1), Beginning("now", many))
    assert counters.take([], calls(tenant_id, 1)).calls_used == many + 2


def test_thousands_of_calls_at_the_plans_pace_are_never_refused(counters: Counters) -> None:
    """The application's clock refused 1 % of these wrongly; Redis's own refuses none."""
    tenant_id = new_id()
    tight = bucket(tenant_id, 100_000, 60)
    refused = [counters.take([tight], calls(tenant_id, 0)).refused_by for _ in range(4_800)]
    assert refused.count("tenant") == 0
