"""API calls: counted by each process, limited by Redis, folded into the ledger to the unit."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import redis
from django.conf import settings

from config.ids import new_id
from config.needs import Meter
from quotas import api_calls, ledger
from quotas.counters import calls_key
from quotas.decision import Decision
from quotas.models import ApiCallMark, UsageTotal
from quotas.spool import Spool, spool
from quotas.tasks import tidy
from tenants.models import Tenant
from tests.quotas.conftest import NOON

pytestmark = pytest.mark.django_db
Ask = Callable[..., Decision]
Granted = Callable[..., None]
NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)
# Another process, which counts and is killed before it could fold anything.
COUNTING = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID
from quotas.spool import Spool
counted = Spool(Path(sys.argv[1]))
for _ in range(int(sys.argv[3])):
    counted.add(UUID(sys.argv[2]), epoch="", period_start=datetime(2026, 11, 1, tzinfo=UTC), calls=1)
print("counted", flush=True)
time.sleep(60)
"""


def total(tenant: Tenant, period: datetime = NOVEMBER) -> int:
    rows = UsageTotal.objects.filter(tenant_id=tenant.pk, meter="api_calls", period_start=period)
    return sum(rows.values_list("used", flat=True))


def used(tenant: Tenant) -> int:
    return {one.meter: one.used for one in ledger.usage(tenant_id=tenant.pk, now=NOON)}[
        Meter.API_CALLS
    ]


def lose_everything(url: str) -> None:
    client = redis.Redis.from_url(url)
    client.flushall()
    client.close()


def done(ask: Ask, times: int = 1, **asked: Any) -> list[bool]:
    """Requests that are let in, answered, and so counted."""
    decisions = [ask(**asked) for _ in range(times)]
    for decision in decisions:
        decision.settle(kept=1)
    return [decision.allowed for decision in decisions]


def counted_by_another(tenant_id: UUID, calls: int, epoch: str = "") -> Spool:
    settings.PLAZA_SPOOL.mkdir(exist_ok=True)
    other = Spool(settings.PLAZA_SPOOL / f"{new_id().hex}.calls")
    other.add(tenant_id, epoch=epoch, period_start=NOVEMBER, calls=calls)
    return other


def test_the_flush_brings_the_ledger_up_to_what_was_done(
    ask: Ask, tenant: Tenant, granted: Granted
) -> None:
    granted(tenant.pk, api_calls=None)
    done(ask, 5)
    assert (total(tenant), used(tenant)) == (0, 5)
    assert api_calls.flush() == 1
    assert (total(tenant), used(tenant)) == (5, 5)


def test_a_second_flush_finds_nothing_to_do(ask: Ask, tenant: Tenant, granted: Granted) -> None:
    granted(tenant.pk, api_calls=None)
    done(ask)
    assert [api_calls.flush() for _ in range(2)] == [1, 0]
    done(ask)
    assert [api_calls.flush() for _ in range(2)] == [1, 0]
    assert (total(tenant), used(tenant)) == (2, 2)


def test_what_failed_is_never_in_the_ledger_and_what_runs_is_in_use(
    ask: Ask, tenant: Tenant, granted: Granted
) -> None:
    granted(tenant.pk, api_calls=None)
    kept, failed, running = ask(), ask(), ask()
    kept.settle(kept=1)
    failed.settle(kept=0)
    assert used(tenant) == 2
    api_calls.flush()
    assert (total(tenant), used(tenant)) == (1, 2)
    running.settle(kept=1)
    api_calls.flush()
    assert (total(tenant), used(tenant)) == (2, 2)


def test_folding_twice_or_late_changes_nothing(tenant: Tenant) -> None:
    other = counted_by_another(tenant.pk, 10)
    early = other.counts()
    other.add(tenant.pk, epoch="", period_start=NOVEMBER, calls=2)
    for counts in (early, other.counts(), early, other.counts()):
        api_calls._folded(other.id, counts)
    other.close()
    mark = ApiCallMark.objects.get(tenant_id=tenant.pk)
    assert (total(tenant), mark.spool, mark.counted) == (12, other.id, 12)


def test_processes_and_epochs_add_up(tenant: Tenant) -> None:
    one, other = counted_by_another(tenant.pk, 10), counted_by_another(tenant.pk, 3)
    one.add(tenant.pk, epoch=new_id().hex, period_start=NOVEMBER, calls=4)
    for each in (one, other):
        api_calls.fold(each)
        each.close()
    assert total(tenant) == 17


def test_what_a_killed_process_had_counted_is_folded_by_another_once(tenant: Tenant) -> None:
    settings.PLAZA_SPOOL.mkdir(exist_ok=True)
    path = Path(settings.PLAZA_SPOOL) / f"{new_id().hex}.calls"
    killed = subprocess.Popen(
        [sys.executable, "-c", COUNTING, str(path), str(tenant.pk), "2500"],
        cwd=settings.BASE_DIR, env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert killed.stdout is not None
    assert killed.stdout.readline() == b"counted\n"
    assert api_calls.flush() == 0  # it lives: its file is its own
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert [api_calls.flush() for _ in range(2)] == [1, 0]
    assert (total(tenant), path.exists()) == (2500, False)


def test_lost_counters_begin_again_at_the_ledgers_total(
    ask: Ask, tenant: Tenant, granted: Granted, valkey: Any
) -> None:
    granted(tenant.pk, api_calls=10)
    done(ask, 6)
    api_calls.flush()
    lose_everything(valkey.url)
    assert done(ask, 6) == [True] * 4 + [False] * 2
    api_calls.flush()
    assert (total(tenant), used(tenant)) == (10, 10)


def test_counters_lost_before_the_flush_lose_no_call(
    ask: Ask, tenant: Tenant, granted: Granted, valkey: Any
) -> None:
    granted(tenant.pk, api_calls=None)
    for _ in range(4):
        done(ask, 3)
        lose_everything(valkey.url)
    api_calls.flush()
    assert total(tenant) == 12
    done(ask)
    api_calls.flush()
    assert (total(tenant), used(tenant)) == (13, 13)


def test_calls_counted_elsewhere_reach_the_limit_by_the_flush(
    ask: Ask, tenant: Tenant, granted: Granted
) -> None:
    granted(tenant.pk, api_calls=10)
    done(ask, 4)
    counted_by_another(tenant.pk, 3).close()
    api_calls.flush()
    assert used(tenant) == 7
    assert done(ask, 4) == [True, True, True, False]
    api_calls.flush()
    assert total(tenant) == 10


def test_a_call_whose_end_redis_never_heard_of_is_in_its_count_after_the_flush(
    ask: Ask, tenant: Tenant, granted: Granted, valkey: Any
) -> None:
    granted(tenant.pk, api_calls=10)
    done(ask, 2)
    client = redis.Redis.from_url(valkey.url)
    for field in ("counted", f"spool:{spool().id}"):
        client.hincrby(calls_key(tenant.pk, NOVEMBER), field, -1)
    client.close()
    api_calls.flush()
    assert (total(tenant), used(tenant)) == (2, 2)
    assert sum(done(ask, 9)) == 8


def test_last_months_calls_are_folded_into_last_month(
    ask: Ask, tenant: Tenant, granted: Granted
) -> None:
    granted(tenant.pk, api_calls=None)
    december = datetime(2026, 12, 1, tzinfo=UTC)
    done(ask, now=december - timedelta(seconds=1))
    done(ask, 2, now=december)
    api_calls.flush()
    assert (total(tenant), total(tenant, december)) == (1, 2)


def test_the_flush_asks_as_often_for_three_tenants_as_for_one(
    ask: Ask, tenant: Tenant, granted: Granted, django_assert_num_queries: Any
) -> None:
    granted(tenant.pk, api_calls=None)
    for _ in range(3):
        done(ask)
        with django_assert_num_queries(4):  # begin, fold, end, marks
            api_calls.flush()
        counted_by_another(new_id(), 1)  # it lives on: not folded here
        spool().add(new_id(), epoch="", period_start=NOVEMBER, calls=1)


def test_marks_are_let_go_when_nobody_folds_their_month_any_more(tenant: Tenant) -> None:
    for month in (3, 11):
        ApiCallMark.objects.create(
            tenant_id=tenant.pk, period_start=datetime(2026, month, 1, tzinfo=UTC),
            spool="a", epoch="", counted=1,
        )  # fmt: skip
    assert tidy.name == "quotas.tidy"
    assert api_calls.forget_marks(now=NOON) == 1
    assert ApiCallMark.objects.get().period_start == NOVEMBER


def test_the_counters_outlive_the_month_and_then_go(
    ask: Ask, tenant: Tenant, granted: Granted, valkey: Any
) -> None:
    granted(tenant.pk, api_calls=None)
    now = datetime.now(UTC)
    ask(now=now)
    client = redis.Redis.from_url(valkey.url)
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    days = client.ttl(calls_key(tenant.pk, first)) / 86_400
    client.close()
    assert 39 < days < 72
