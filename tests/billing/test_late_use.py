"""Use that reaches the ledger after its period was billed: in the next invoice, or in one of its own within the month."""

from datetime import timedelta

import pytest

from billing import catalogue
from billing.models import BilledUsage
from billing.services.closing import bill_late_use, close_due
from config.needs import Meter
from tests.billing.paying import FEB_28, JAN_31, SECOND, invoices, paying, told, use

pytestmark = pytest.mark.django_db
INCLUDED = catalogue.plan("growth").limits[Meter.TOKENS] or 0
NEXT_YEAR = JAN_31.replace(year=2027)
DAY = timedelta(days=1)


def test_late_use_of_a_year_waits_no_year_and_is_one_invoice_a_month(globex):
    paying(globex, interval="year")
    use(globex, 12 * INCLUDED, at=JAN_31, key="in time")
    close_due(now=NEXT_YEAR)
    use(globex, 2_000, at=NEXT_YEAR - SECOND, key="late")
    use(globex, 777, at=NEXT_YEAR, key="of the next year")

    billed = [bill_late_use(now=NEXT_YEAR + days * DAY) for days in (1, 1, 2)]
    use(globex, 3_000, at=NEXT_YEAR - SECOND, key="later still")
    billed += [bill_late_use(now=NEXT_YEAR + days * DAY) for days in (3, 31, 32, 33, 90)]

    assert billed == [1, 0, 0, 0, 0, 1, 0, 0]
    last = [told(invoice) for invoice in invoices(globex)[2:]]
    assert [(each["kind"], [line[:2] for line in each["lines"]]) for each in last] == [
        ("period", [("late_usage", 2_000)]),
        ("period", [("late_usage", 3_000)]),
    ]
    # Tokens are sold in packages: the first of the two begins one, and the second fits in it.
    assert [each["total"] for each in last] == [360, 0]
    assert BilledUsage.objects.get(meter="tokens").units == 12 * INCLUDED + 5_000


def test_who_is_billed_within_the_month_gets_no_invoice_of_late_use_alone(globex):
    paying(globex)
    use(globex, INCLUDED, at=JAN_31, key="in time")
    close_due(now=FEB_28)
    use(globex, 2_000, at=FEB_28 - SECOND, key="late")

    assert bill_late_use(now=FEB_28 + DAY) == 0
    assert len(invoices(globex)) == 2
