"""The benchmark `closing` in short: every unit of the ledger is billed once, in a few statements a period."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.bench import closing_ground

pytestmark = pytest.mark.django_db
TENANTS, ROWS = 6, 6_000
# What a period takes, whatever the number of its rows.
MOST_STATEMENTS = 45


def test_closing_bills_every_unit_of_the_ledger_once():
    closing_ground.seed(TENANTS, ROWS)

    with CaptureQueriesContext(connection) as asked:
        closed = closing_ground.close()

    assert closed == TENANTS
    assert closing_ground.check() == {
        "open": 0,
        "invoices": TENANTS,
        "events": ROWS,
        "unbilled": 0,
        "faults": [],
    }
    assert closing_ground.close() == 0
    assert len(asked) / TENANTS < MOST_STATEMENTS
