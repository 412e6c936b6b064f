"""What each process has counted, told to Redis as sums: however often, late, or by whom."""

from typing import Any

import pytest

from config.ids import new_id
from quotas.counters import Beginning, Counters, SpoolSum, calls_key
from quotas.verdicts import Lease
from tests.quotas.test_counters import NOVEMBER, at, calls, take


@pytest.fixture
def counters(valkey: Any) -> Counters:
    return at(valkey.url)


def test_a_spools_sum_counts_once_whoever_tells_it_however_late(counters: Counters) -> None:
    tenant_id = new_id()
    key = calls_key(tenant_id, NOVEMBER)
    leases = [Lease(f"request-{number}", 60) for number in range(3)]
    for lease in leases:
        take(counters, [], calls(tenant_id, 1), Beginning("now", 0), lease=lease)
    counters.settle(calls(tenant_id, 1), leases[1], epoch="now", counted=SpoolSum("a", 2))
    counters.settle(calls(tenant_id, 1), leases[0], epoch="now", counted=SpoolSum("a", 1))
    take(counters, [], calls(tenant_id, 0))  # reads the replies that nobody waited for
    assert counters.read([key]) == [("now", 0, 2, 1)]
    # Its process was killed before it could tell; the fold does.
    for _ in range(2):
        counters.inform(key, "now", 0, [SpoolSum("a", 3), SpoolSum("b", 4)])
    counters.settle(calls(tenant_id, 1), leases[2], epoch="now", counted=SpoolSum("a", 3))
    take(counters, [], calls(tenant_id, 0))
    assert counters.read([key]) == [("now", 0, 7, 0)]


def test_what_is_used_elsewhere_only_grows_and_another_epoch_is_left_alone(
    counters: Counters,
) -> None:
    tenant_id = new_id()
    key = calls_key(tenant_id, NOVEMBER)
    take(counters, [], calls(tenant_id, 1), Beginning("now", 5), lease=Lease("one", 60))
    counters.inform(key, "now", 9, [])
    counters.inform(key, "now", 7, [])
    counters.inform(key, "before", 99, [SpoolSum("a", 99)])
    assert counters.read([key]) == [("now", 9, 0, 1)]
