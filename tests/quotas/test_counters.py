"""The script under many clients at once, without a database."""

import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any
from uuid import UUID

import django
import pytest

from config.ids import new_id
from quotas.counters import (
    Beginning,
    Counters,
    CountersUnbegun,
    SpoolSum,
    calls_key,
    running_key,
)
from quotas.verdicts import Lease
from tenants.versions import version_key
from tests.quotas.counting import NOVEMBER, at, bucket, calls, take


def admitted_by_one_process(facts: tuple[str, str, int, int]) -> int:
    url, tenant, limit, attempts = facts
    mine, tenant_id = at(url), UUID(tenant)
    begin = Beginning("epoch", 0)

    def one(_: int) -> bool:
        verdict = take(mine, [bucket(tenant_id, 10**6)], calls(tenant_id, limit=limit), begin)
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
        return not take(counters, [bucket(tenant_id, 100)], calls(tenant_id, 0)).refused_by

    with ThreadPoolExecutor(64) as pool:
        assert sum(pool.map(one, range(256))) == 100


@pytest.mark.parametrize(("limit", "seconds"), [(7, 3_600), (600, 3_600), (9_999, 86_400)])
def test_no_rounding_admits_one_more_or_one_less(
    counters: Counters, limit: int, seconds: int
) -> None:
    tenant_id = new_id()
    rate = bucket(tenant_id, limit, seconds)
    refused = [take(counters, [rate], calls(tenant_id, 0)).refused_by for _ in range(limit + 1)]
    assert refused == [""] * limit + ["tenant"]


def test_a_cost_above_the_whole_rate_takes_the_whole_rate(counters: Counters) -> None:
    tenant_id = new_id()
    verdict = take(counters, [bucket(tenant_id, 10, cost=500)], calls(tenant_id, 0))
    assert (verdict.refused_by, verdict.rates[0].remaining) == ("", 0)
    assert take(counters, [bucket(tenant_id, 10)], calls(tenant_id, 0)).refused_by == "tenant"


def test_a_refusal_says_when_the_next_try_passes(counters: Counters) -> None:
    tenant_id = new_id()
    take(counters, [bucket(tenant_id, 10, cost=10)], calls(tenant_id, 0))
    verdict = take(counters, [bucket(tenant_id, 10, cost=3)], calls(tenant_id, 0))
    assert 1_079 < verdict.retry_seconds <= 1_080
    assert (verdict.rates[0].remaining, verdict.rates[0].resets_seconds) == (0, 3_600)


def test_counters_that_are_not_begun_ask_for_the_ledgers_total(counters: Counters) -> None:
    tenant_id = new_id()
    with pytest.raises(CountersUnbegun):
        take(counters, [bucket(tenant_id, 1)], calls(tenant_id, limit=10))
    assert take(counters, [bucket(tenant_id, 1)], calls(tenant_id, 0)).refused_by == ""
    begun = take(counters, [], calls(tenant_id, limit=10), Beginning("first", 8))
    again = take(counters, [], calls(tenant_id, limit=10), Beginning("second", 0))
    over = take(counters, [], calls(tenant_id, limit=10))
    assert [(each.calls_used, each.epoch) for each in (begun, again)] == [
        (9, "first"),
        (10, "first"),
    ]
    assert (over.is_exhausted, over.calls_used) == (True, 10)


def test_what_is_settled_counts_or_is_given_back_in_the_epoch_that_reserved_it(
    counters: Counters,
) -> None:
    tenant_id = new_id()
    one, other, foreign = (Lease(name, 60) for name in ("one", "other", "foreign"))
    take(counters, [], calls(tenant_id, 5), Beginning("now", 0), lease=one)
    take(counters, [], calls(tenant_id, 2), lease=other)
    assert counters.read([calls_key(tenant_id, NOVEMBER)]) == [("now", 0, 0, 7)]
    counters.settle(calls(tenant_id, 9), foreign, epoch="before", counted=SpoolSum("a", 9))
    counters.settle(calls(tenant_id, 5), one, epoch="now", counted=SpoolSum("a", 5))
    counters.settle(calls(tenant_id, 2), other, epoch="now", counted=None)
    assert take(counters, [], calls(tenant_id, 1)).calls_used == 6
    assert counters.read([calls_key(tenant_id, NOVEMBER)]) == [("now", 0, 5, 1)]


def test_a_lease_gives_back_however_long_nobody_asks(counters: Counters) -> None:
    tenant_id = new_id()
    take(counters, [], calls(tenant_id, 4, limit=4), Beginning("now", 0), lease=Lease("killed", 1))
    time.sleep(2.3)
    assert take(counters, [], calls(tenant_id, 4, limit=4)).calls_used == 4


def test_a_lease_that_runs_out_gives_back_what_it_had_reserved(counters: Counters) -> None:
    tenant_id = new_id()
    killed, late = Lease("killed", 1), Lease("late", 1)
    for lease in (killed, late):
        take(counters, [], calls(tenant_id, 4, limit=10), Beginning("now", 0), lease=lease)
    assert take(counters, [], calls(tenant_id, 4, limit=10)).is_exhausted
    time.sleep(1.1)
    assert take(counters, [], calls(tenant_id, 4, limit=10)).calls_used == 4
    # Its work was done all the same.
    counters.settle(calls(tenant_id, 4), late, epoch="now", counted=SpoolSum("a", 4))
    assert take(counters, [], calls(tenant_id, 1, limit=10)).calls_used == 9
    assert counters.read([calls_key(tenant_id, NOVEMBER)]) == [("now", 0, 4, 5)]


def test_a_renewed_lease_stays_and_a_settled_one_does_not_come_back(counters: Counters) -> None:
    tenant_id = new_id()
    long, short = Lease("long", 1), Lease("short", 1)
    for lease in (long, short):
        take(counters, [], calls(tenant_id, 1), Beginning("now", 0), lease=lease)
    counters.settle(calls(tenant_id, 1), short, epoch="now", counted=None)
    counters.renew(running_key(tenant_id, NOVEMBER), ["long:1", "short:1"], seconds=60)
    time.sleep(1.1)
    assert take(counters, [], calls(tenant_id, 1)).running == 2


def test_a_question_sent_twice_reserves_once(counters: Counters) -> None:
    tenant_id, lease = new_id(), Lease("same", 60)
    for _ in range(2):
        take(counters, [], calls(tenant_id, 3), Beginning("now", 0), lease=lease)
    assert counters.read([calls_key(tenant_id, NOVEMBER)]) == [("now", 0, 0, 3)]


def test_no_more_run_at_once_than_may_and_the_next_when_one_has_ended(counters: Counters) -> None:
    tenant_id = new_id()
    leases = [Lease(f"request-{number}", 60, most=3) for number in range(64)]

    def one(lease: Lease) -> bool:
        return not take(counters, [], calls(tenant_id, 0), lease=lease).is_crowded

    with ThreadPoolExecutor(16) as pool:
        admitted = [
            lease for lease, is_in in zip(leases, pool.map(one, leases), strict=True) if is_in
        ]
    assert len(admitted) == 3
    counters.settle(calls(tenant_id, 0), admitted[0], epoch="", counted=None)
    assert [one(Lease(name, 60, most=3)) for name in ("next", "one more")] == [True, False]


def test_another_version_decides_nothing_and_counts_nothing(counters: Counters) -> None:
    tenant_id = new_id()
    counters.server.ask(lambda server: server.set(version_key(tenant_id), "new"))
    rate = bucket(tenant_id, 2)
    stale = [
        take(counters, [rate], calls(tenant_id, 0), version=told) for told in ("old", "ne", "new2")
    ]
    assert [each.is_out_of_date for each in stale] == [True] * 3
    fresh = [take(counters, [rate], calls(tenant_id, 0), version=told) for told in ("new", None)]
    assert [each.is_out_of_date or each.refused_by for each in fresh] == ["", ""]
    assert take(counters, [rate], calls(tenant_id, 0), version="new").refused_by == "tenant"


def test_numbers_beyond_14_digits_stay_exact(counters: Counters) -> None:
    tenant_id, many = new_id(), 1_234_567_890_123_456
    take(counters, [], calls(tenant_id, 1), Beginning("now", many))
    assert take(counters, [], calls(tenant_id, 1)).calls_used == many + 2


def test_thousands_of_calls_at_the_plans_pace_are_never_refused(counters: Counters) -> None:
    """The application's clock refused 1 % of these wrongly; Redis's own refuses none."""
    tenant_id = new_id()
    tight = bucket(tenant_id, 100_000, 60)
    refused = [take(counters, [tight], calls(tenant_id, 0)).refused_by for _ in range(4_800)]
    assert refused.count("tenant") == 0
