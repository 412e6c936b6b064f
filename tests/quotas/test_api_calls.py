from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import redis

from config.needs import Meter
from quotas import api_calls, ledger
from quotas.counters import ApiCallCounters, calls_key
from quotas.gate import Decision
from quotas.models import ApiCallMark, UsageTotal
from quotas.tasks import flush_api_calls
from quotas.verdicts import Calls
from tenants.models import Tenant
from tests.quotas.conftest import NOON

pytestmark = pytest.mark.django_db
Ask = Callable[..., Decision]
Granted = Callable[..., None]
NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)


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


def counted(epoch: str, counted: int, returned: int = 0) -> ApiCallCounters:
    return ApiCallCounters(epoch, 0, counted, returned)


def fold(tenant_id: UUID, found: ApiCallCounters) -> int:
    return api_calls.fold(tenant_id=tenant_id, period=NOVEMBER, found=found)


def test_the_flush_brings_the_ledger_up_to_redis(
    ask: Ask, tenant: Tenant, granted: Granted
) -> None:
    granted(tenant.pk, api_calls=None)
    for _ in range(5):
        ask()
    assert (total(tenant), used(tenant)) == (0, 5)
    assert api_calls.flush(now=NOON) == 1
    assert (total(tenant), used(tenant)) == (5, 5)


def test_a_second_flush_finds_nothing_to_do(ask: Ask, tenant: Tenant, granted: Granted) -> None:
    granted(tenant.pk, api_calls=None)
    ask()
    assert [api_calls.flush(now=NOON) for _ in range(2)] == [1, 0]
    ask()
    assert [api_calls.flush(now=NOON) for _ in range(2)] == [1, 0]
    assert (total(tenant), used(tenant)) == (2, 2)


def test_what_was_given_back_leaves_the_ledger_again(
    ask: Ask, tenant: Tenant, granted: Granted
) -> None:
    granted(tenant.pk, api_calls=None)
    kept, failed = ask(), ask()
    api_calls.flush(now=NOON)
    kept.settle(kept=True)
    failed.settle(kept=False)
    assert used(tenant) == 1
    api_calls.flush(now=NOON)
    assert (total(tenant), used(tenant)) == (1, 1)


def test_folding_twice_late_or_out_of_order_changes_nothing(tenant: Tenant) -> None:
    for found in (
        counted("a", 10, 1),
        counted("a", 12, 2),
        counted("a", 10, 1),
        counted("a", 12, 2),
    ):
        fold(tenant.pk, found)
    assert total(tenant) == 10
    mark = ApiCallMark.objects.get(tenant_id=tenant.pk)
    assert (mark.epoch, mark.counted, mark.returned) == ("a", 12, 2)


def test_epochs_add_up(tenant: Tenant) -> None:
    assert fold(tenant.pk, counted("a", 10)) == 0
    assert fold(tenant.pk, counted("b", 3)) == 10
    assert fold(tenant.pk, counted("a", 11)) == 3
    assert total(tenant) == 14


def test_lost_counters_begin_again_at_the_ledgers_total(
    ask: Ask, tenant: Tenant, granted: Granted, valkey: Any
) -> None:
    granted(tenant.pk, api_calls=10)
    for _ in range(6):
        ask()
    api_calls.flush(now=NOON)
    lose_everything(valkey.url)
    passed = [ask().allowed for _ in range(6)]
    assert passed == [True] * 4 + [False] * 2
    api_calls.flush(now=NOON)
    assert (total(tenant), used(tenant)) == (10, 10)


def test_counters_lost_again_and_again_lose_nothing_that_was_flushed(
    ask: Ask, tenant: Tenant, granted: Granted, valkey: Any
) -> None:
    granted(tenant.pk, api_calls=None)
    for _ in range(4):
        for _ in range(3):
            ask()
        api_calls.flush(now=NOON)
        api_calls.flush(now=NOON)
        lose_everything(valkey.url)
    assert total(tenant) == 12


def test_calls_counted_past_redis_reach_its_limit_by_the_flush(
    ask: Ask, tenant: Tenant, granted: Granted
) -> None:
    granted(tenant.pk, api_calls=10)
    for _ in range(4):
        ask()
    api_calls.count_directly(Calls(tenant.pk, NOVEMBER, 3, 10))
    assert used(tenant) == 7
    api_calls.flush(now=NOON)
    assert used(tenant) == 7
    assert [ask().allowed for _ in range(4)] == [True, True, True, False]
    api_calls.flush(now=NOON)
    assert total(tenant) == 10


def test_the_flush_folds_last_months_calls_on_the_first_day(
    ask: Ask, tenant: Tenant, granted: Granted
) -> None:
    granted(tenant.pk, api_calls=None)
    december = datetime(2026, 12, 1, tzinfo=UTC)
    ask(now=december - timedelta(seconds=1))
    ask(now=december)
    ask(now=december)
    assert api_calls.flush(now=december + timedelta(minutes=1)) == 2
    assert (total(tenant), total(tenant, december)) == (1, 2)


def test_the_flush_asks_as_often_for_three_tenants_as_for_one_without_news(
    ask: Ask, tenant: Tenant, granted: Granted, django_assert_num_queries: Any
) -> None:
    granted(tenant.pk, api_calls=None)
    ask()
    api_calls.flush(now=NOON)
    for number in range(3):
        with django_assert_num_queries(3):
            api_calls.flush(now=NOON)
        Tenant.objects.create(
            schema_name=f"t_{number}", slug=f"quiet-{number}", organisation="Quiet"
        )


def test_the_task_runs_in_public_and_says_how_many_had_news(
    ask: Ask, tenant: Tenant, granted: Granted
) -> None:
    granted(tenant.pk, api_calls=None)
    ask(now=datetime.now(UTC))
    assert flush_api_calls.name == "quotas.flush_api_calls"
    assert (flush_api_calls(), flush_api_calls()) == (1, 0)


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
