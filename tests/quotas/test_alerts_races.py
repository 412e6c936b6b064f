"""Many workers look at one meter at once, with transactions that really commit: one tells."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from config.models import OutboxMessage
from config.needs import Meter
from quotas.alerts.evaluating import evaluate
from quotas.models import UsageAlert
from tenants.isolation import square_context
from tenants.models import Mail
from tests.client import member_of
from tests.quotas.conftest import NOON
from tests.quotas.test_ledger import take

pytestmark = pytest.mark.django_db(transaction=True)
WORKERS = 16


def at_once(tenant, limits, granted) -> list[int]:
    """Every worker looks; some change the limit in between. What was told, of all."""
    start = threading.Barrier(WORKERS)

    def work(number: int) -> list[int]:
        try:
            with square_context():
                start.wait(30)
                if limits:
                    granted(tenant.pk, contacts=limits[number % len(limits)])
                return evaluate(tenant_id=tenant.pk, meter=Meter.CONTACTS, now=NOON)
        finally:
            connection.close()

    with ThreadPoolExecutor(WORKERS) as pool:
        return [percent for told in pool.map(work, range(WORKERS)) for percent in told]


def test_sixteen_workers_tell_each_threshold_once(tenant, granted):
    member_of(tenant)
    granted(tenant.pk, contacts=100)
    told = []
    for key, quantity in enumerate((50, 30, 10, 10)):
        with transaction.atomic():
            take(tenant.pk, f"k{key}", quantity)
        told.append(at_once(tenant, (), granted))

    assert told == [[50], [80], [90], [100]]
    assert (UsageAlert.objects.count(), Mail.objects.count()) == (4, 4)


def test_a_limit_raised_and_lowered_by_all_at_once_tells_no_number_of_units_twice(tenant, granted):
    granted(tenant.pk, contacts=100)
    with transaction.atomic():
        take(tenant.pk, "a", 100)
    at_once(tenant, (), granted)

    told = at_once(tenant, (100, 125, 200, 101), granted)

    # 100 units were told. Of 101 and 125 they are less, of 200 they are the half: no news.
    assert told == []
    rows = UsageAlert.objects.filter(is_told=True).values_list("percent", "limit")
    assert Counter(rows) == {(100, 100): 1}
    names = OutboxMessage.objects.filter(task="tenants.fan_out_event").count()
    assert names <= 1
