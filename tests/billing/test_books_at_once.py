"""Many who issue at once, some of whom fail or are killed: numbers have no gap, and nothing is told twice."""

import subprocess
import sys
import time

import pytest
from django.conf import settings
from django.db import transaction

from billing.books.checking import faults
from billing.models import Account, Invoice, NumberSequence, Payment
from tests.billing.books import issued, paid
from tests.billing.test_at_once import at_once
from tests.processes import environment_here

pytestmark = pytest.mark.django_db(transaction=True)
THREADS, EACH = 16, 4
# Issues until it is killed; every third time it fails after the number was taken.
ENDLESS = """
import django, sys
django.setup()
from datetime import UTC, datetime
from uuid import UUID
from django.db import transaction
from billing import books
from billing.money import Money
from billing.rating.lines import Draft, Line, LineKind
now = datetime.now(UTC)
draft = Draft("USD", (Line(LineKind.PLAN, "growth", 1, Money(100, "USD"), now, now),))
for number in range(1_000_000):
    try:
        with transaction.atomic():
            books.issue(tenant_id=UUID(sys.argv[1]), draft=draft, kind="period",
                        key=f"{sys.argv[2]}:{number}", now=now)
            if number % 3 == 2:
                raise LookupError
    except LookupError:
        pass
"""


def numbers() -> list[int]:
    return list(Invoice.objects.order_by("number").values_list("number", flat=True))


def test_numbers_have_no_gap_under_sixteen_threads_that_roll_back_and_processes_that_are_killed(
    acme, globex, now
):
    killed = [
        subprocess.Popen(
            [sys.executable, "-c", ENDLESS, str(tenant.pk), name],
            cwd=settings.BASE_DIR, env=environment_here(),
        )
        for tenant, name in ((acme, "a"), (globex, "b"))
    ]  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while {"a:0", "b:0"} - set(Invoice.objects.values_list("key", flat=True)):
            assert time.monotonic() < deadline
            time.sleep(0.01)

        def work(thread: int) -> None:
            for number in range(EACH):
                key = f"{thread}:{number}"
                with transaction.atomic():
                    issued((acme, globex)[thread % 2], now, 100 + number, key=key)
                    transaction.set_rollback((thread + number) % 4 == 0)
                if number == 1 and thread < len(killed):
                    killed[thread].kill()  # in the middle, wherever it is

        at_once(work, times=THREADS)
    finally:
        for process in killed:
            process.kill()
            process.wait()

    kept = Invoice.objects.exclude(key__startswith="a").exclude(key__startswith="b")
    assert kept.count() == THREADS * EACH * 3 // 4
    found = numbers()
    assert found == list(range(1, len(found) + 1))
    assert NumberSequence.objects.get().last == len(found)
    assert list(faults()) == []


def test_the_same_invoice_and_the_same_payment_at_once_are_one(acme, now):
    issues = at_once(lambda _: issued(acme, now, 10_000).pk, times=8)
    invoice = Invoice.objects.get()
    payments = at_once(lambda _: paid(invoice, 10_000, now, fee=300).pk, times=8)

    assert (set(issues), set(payments)) == ({invoice.pk}, {Payment.objects.get().pk})
    assert Invoice.objects.get().status == "paid"
    assert Account.objects.get(kind="cash_stripe").balance_minor == 9_700
    assert list(faults()) == []
