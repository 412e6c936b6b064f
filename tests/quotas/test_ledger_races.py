"""Many writers on one allowance, with transactions that really commit."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.transaction import TransactionManagementError

from config.errors import DomainError
from config.ids import new_id
from config.needs import Meter
from quotas.caps.weights import Bend, Weight
from quotas.models import UsageEvent, UsageTotal
from quotas.refusals import QuotaExceeded
from tests.quotas.capped import spent, weigh
from tests.quotas.test_ledger import give_back, take, used

pytestmark = pytest.mark.django_db(transaction=True)
Granted = Callable[..., None]
THREADS = 64


def race(work: Callable[[int], Any], attempts: int) -> list[str]:
    """Run `work` of each number, THREADS at a time; "ok" or the name of what was raised."""
    start = threading.Barrier(THREADS)
    waited = threading.local()

    def one(number: int) -> str:
        try:
            if not hasattr(waited, "done"):
                waited.done = True
                start.wait(30)
            with transaction.atomic():
                work(number)
        except (DomainError, DatabaseError) as raised:
            return type(raised).__name__
        finally:
            connection.close()
        return "ok"

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(one, range(attempts)))


def test_64_threads_on_the_last_units_get_exactly_the_limit(granted: Granted) -> None:
    tenant_id = new_id()
    granted(tenant_id, contacts=100)
    outcomes = race(lambda number: take(tenant_id, f"contact:{number}"), 256)
    assert (outcomes.count("ok"), outcomes.count("QuotaExceeded")) == (100, 156)
    assert used(tenant_id) == 100
    assert UsageEvent.objects.filter(tenant_id=tenant_id).count() == 100


def test_64_threads_with_one_key_count_once(granted: Granted) -> None:
    tenant_id = new_id()
    granted(tenant_id, contacts=100)
    outcomes = race(lambda _: take(tenant_id, "contact:1"), 64)
    assert outcomes == ["ok"] * 64
    assert used(tenant_id) == 1


def test_one_key_taken_by_all_while_nothing_is_left_stays_unused(granted: Granted) -> None:
    tenant_id = new_id()
    granted(tenant_id, contacts=0)
    assert race(lambda _: take(tenant_id, "contact:1"), 64) == ["QuotaExceeded"] * 64
    granted(tenant_id, contacts=1)
    with transaction.atomic():
        take(tenant_id, "contact:1")
    assert used(tenant_id) == 1


def test_64_threads_refund_one_key_once_and_never_below_zero(granted: Granted) -> None:
    tenant_id = new_id()
    granted(tenant_id, contacts=100)
    with transaction.atomic():
        take(tenant_id, "batch:1", 40)
    assert race(lambda _: give_back(tenant_id, "contact:1"), 64) == ["ok"] * 64
    assert used(tenant_id) == 39
    assert race(lambda number: give_back(tenant_id, f"c:{number}"), 64) == ["ok"] * 64
    assert used(tenant_id) == 0
    events = UsageEvent.objects.filter(tenant_id=tenant_id, kind="refunded")
    assert sum(events.values_list("quantity", flat=True)) == 40


def test_a_writer_that_rolls_back_leaves_no_unit(granted: Granted) -> None:
    tenant_id = new_id()
    granted(tenant_id, contacts=1)
    with transaction.atomic():
        take(tenant_id, "contact:1")
        transaction.set_rollback(True)
    with transaction.atomic():
        take(tenant_id, "contact:2")
    assert list(UsageTotal.objects.values_list("used", flat=True)) == [1]


def test_a_writer_that_swallows_the_refusal_has_used_nothing(granted: Granted) -> None:
    tenant_id = new_id()
    granted(tenant_id, contacts=1)
    with transaction.atomic(), pytest.raises(QuotaExceeded):
        take(tenant_id, "batch:1", 2)
    assert not UsageEvent.objects.exists()


def test_outside_a_transaction_nothing_is_counted(granted: Granted) -> None:
    tenant_id = new_id()
    granted(tenant_id, contacts=1)
    with pytest.raises(TransactionManagementError):
        take(tenant_id, "contact:1")
    assert used(tenant_id) == 0


def test_64_threads_on_the_last_cent_of_three_meters_spend_exactly_the_cap() -> None:
    tenant_id = new_id()
    meters = [Meter.EMAILS, Meter.SMS, Meter.IMAGES]
    weights = {meter.value: Weight((Bend(0, 0, 1),), scale=2) for meter in meters}
    weigh(tenant_id, weights, cap=30, emails=0, sms=0, images=0)
    outcomes = race(lambda number: take(tenant_id, f"unit:{number}", 1, meters[number % 3]), 256)
    taken = [used(tenant_id, meter) for meter in meters]
    # Each is rounded by itself, half to even: 21 halves are 10, and 22 are 11.
    assert sum(round(Fraction(units, 2)) for units in taken) == 30 == spent(tenant_id)
    assert outcomes.count("ok") == sum(taken)
    assert outcomes.count("SpendCapReached") == 256 - sum(taken)
