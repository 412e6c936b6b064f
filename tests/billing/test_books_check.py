"""The daily look at the books: every way in which they could be wrong is planted past the walls, and told."""

import pytest
from django.db import connection

from billing import books
from billing.books.checking import faults
from billing.tasks import check_books
from tests.billing.books import issued, paid, usd
from tests.owner import owners_cursor

pytestmark = pytest.mark.django_db
WRONG = {
    "entry_unbalanced": (
        "UPDATE billing_posting SET amount_minor = amount_minor + 1 WHERE amount_minor = 146",
        ["balance_is_not_its_history", "entry_unbalanced"],
    ),
    "balance_is_not_its_history": (
        "UPDATE billing_account SET balance_minor = balance_minor + 1 WHERE kind = 'fees'",
        ["balance_is_not_its_history"],
    ),
    "receivable_is_not_what_is_due": (
        "UPDATE billing_invoice SET paid_minor = paid_minor - 1",
        ["receivable_is_not_what_is_due"],
    ),
    "credit_is_not_its_movements": (
        "UPDATE billing_creditmovement SET amount_minor = 501",
        ["credit_is_not_its_movements"],
    ),
    "invoice_is_not_the_sum_of_its_lines": (
        "UPDATE billing_invoiceline SET amount_minor = 1 WHERE position = 2",
        ["invoice_is_not_the_sum_of_its_lines"],
    ),
    "numbers_have_a_gap": (
        "UPDATE billing_numbersequence SET last = 3 WHERE series = 'invoice'",
        ["numbers_have_a_gap"],
    ),
}  # fmt: skip


@pytest.fixture
def filled(acme, now):
    first = issued(acme, now, 10_000, 5_000, tax=2_400)
    paid(first, 4_000, now, fee=146)
    books.grant_credit(tenant_id=acme.pk, amount=usd(500), note="", by="op", key="a", now=now)


@pytest.mark.usefixtures("filled")
def test_books_that_add_up_are_told_to():
    assert (list(faults()), check_books()) == ([], 0)


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("code", WRONG)
def test_each_thing_that_does_not_add_up_is_told(code):
    statement, expected = WRONG[code]
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    table = statement.split()[1]
    with owners_cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statement)
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")

    assert sorted(fault.code for fault in faults()) == expected
    assert check_books() == len(expected)
