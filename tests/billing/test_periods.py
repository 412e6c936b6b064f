"""The end of a period: its use is billed, the next begins, once, however often and by whomever it is closed."""

from datetime import timedelta

import pytest

from billing import catalogue
from billing.models import BilledUsage, Invoice, Subscription, SubscriptionSpan
from billing.services import closing
from billing.services.amending import change
from billing.services.closing import close_due
from billing.services.coupons import redeem
from billing.services.wishes import Wish
from config.needs import Meter
from quotas.entitlements import snapshot
from tests.billing.paying import (
    FEB_28,
    JAN_31,
    MAR_31,
    SECOND,
    invoices,
    paying,
    told,
    use,
)
from tests.billing.test_at_once import at_once

pytestmark = pytest.mark.django_db
INCLUDED = catalogue.plan("growth").limits[Meter.TOKENS] or 0


def test_the_first_payment_bills_the_first_period(globex):
    row = paying(globex)

    assert [told(invoice) for invoice in invoices(globex)] == [
        {"kind": "start", "lines": [("plan", 1, 9_900)], "total": 9_900}
    ]
    assert row.billed_until == FEB_28


def test_periods_end_on_the_last_day_of_a_short_month_and_go_back_to_the_anchors(globex):
    paying(globex)

    assert close_due(now=FEB_28 - SECOND) == 0
    assert close_due(now=FEB_28) == 1
    assert close_due(now=FEB_28) == 0

    assert Subscription.objects.get(tenant=globex).billed_until == MAR_31
    assert [invoice.total_minor for invoice in invoices(globex)] == [9_900, 9_900]


def test_use_above_the_allowance_is_billed_with_the_end_of_its_period(globex):
    paying(globex)
    use(globex, INCLUDED + 1_000, at=JAN_31, key="mailing")

    close_due(now=FEB_28)

    last = told(invoices(globex)[-1])
    assert [line[:2] for line in last["lines"]] == [("plan", 1), ("usage", INCLUDED + 1_000)]
    assert last["lines"][1][2] == 360
    assert BilledUsage.objects.get(meter="tokens").units == INCLUDED + 1_000


def test_late_use_lands_in_the_next_invoice_once_and_says_so(globex):
    paying(globex)
    use(globex, INCLUDED, at=JAN_31, key="in time")
    close_due(now=FEB_28)
    use(globex, 2_000, at=FEB_28 - SECOND, key="late")

    close_due(now=MAR_31)
    close_due(now=MAR_31 + timedelta(days=31))

    late = [
        line for invoice in invoices(globex) for line in told(invoice)["lines"]
        if line[0] == "late_usage"
    ]  # fmt: skip
    assert [line[1] for line in late] == [2_000]
    assert late[0][2] > 0
    assert BilledUsage.objects.get(meter="tokens", period_start=JAN_31).units == INCLUDED + 2_000


def test_three_missed_periods_are_closed_one_after_the_other(globex):
    paying(globex)

    assert close_due(now=MAR_31 + timedelta(days=40)) == 3

    spans = SubscriptionSpan.objects.filter(subscription__tenant=globex)
    assert [span.ends_at for span in spans] == [None]
    assert [invoice.number for invoice in invoices(globex)] == [1, 2, 3, 4]
    plans = [line for i in invoices(globex) for line in i.lines.filter(kind="plan")]
    periods = sorted((line.starts_at, line.ends_at) for line in plans)
    assert [end for _, end in periods[:-1]] == [start for start, _ in periods[1:]]


def test_what_was_cancelled_ends_with_its_period_and_bills_the_last_use(globex):
    row = paying(globex)
    Subscription.objects.filter(pk=row.pk).update(cancels_at_period_end=True)
    use(globex, INCLUDED + 500, at=JAN_31, key="last")

    close_due(now=FEB_28)
    assert close_due(now=MAR_31) == 0

    row.refresh_from_db()
    assert (row.plan, row.status, row.billed_until) == ("free", "cancelled", None)
    assert snapshot(globex.id, now=FEB_28).plan == "free"
    last = told(invoices(globex)[-1])
    assert (last["kind"], [line[0] for line in last["lines"]]) == ("final", ["usage"])


def test_a_coupon_holds_for_its_periods_and_no_longer(globex):
    paying(globex)
    redeem(tenant_id=globex.id, code="welcome20", now=JAN_31)
    redeem(tenant_id=globex.id, code="WELCOME20", now=JAN_31)

    close_due(now=MAR_31 + timedelta(days=92))

    totals = [invoice.total_minor for invoice in invoices(globex)]
    assert totals == [9_900, 7_920, 7_920, 7_920, 9_900, 9_900]


@pytest.mark.django_db(transaction=True)
def test_many_who_close_at_once_close_once(globex):
    paying(globex)

    answers = at_once(lambda _: close_due(now=FEB_28), times=6)

    assert sum(answers) == 1
    assert [invoice.kind for invoice in invoices(globex)] == ["start", "period"]


def test_one_who_cannot_be_closed_does_not_stop_the_others(acme, globex, caplog):
    broken, whole = paying(acme, at=JAN_31 - SECOND), paying(globex)
    SubscriptionSpan.objects.filter(subscription=broken).delete()

    assert close_due(now=FEB_28) == 1

    whole.refresh_from_db()
    assert whole.billed_until == MAR_31
    assert "period.not_closed" in caplog.text


def test_a_yearly_subscription_from_a_leap_day_renews_on_feb_28(globex):
    leap_day = JAN_31.replace(year=2028, month=2, day=29)
    row = paying(globex, at=leap_day, interval="year")

    assert row.billed_until == leap_day.replace(year=2029, day=28)
    assert closing.close_due(now=row.billed_until) == 1
    row.refresh_from_db()
    assert row.billed_until == leap_day.replace(year=2030, day=28)
    assert Invoice.objects.latest("number").total_minor == 99_000


def test_less_waits_for_the_periods_end_and_more_is_billed_at_once(globex):
    paying(globex)
    change(tenant_id=globex.id, wish=Wish(seats=25, add_ons={"contacts": 1}), now=JAN_31)
    asked = change(tenant_id=globex.id, wish=Wish(seats=22, add_ons={}), now=JAN_31 + SECOND)

    assert asked.invoice is None
    close_due(now=FEB_28)

    assert [told(invoice)["lines"] for invoice in invoices(globex)] == [
        [("plan", 1, 9_900)],
        [("seats", 5, 5 * 1_200), ("add_on", 1, 1_500)],
        [("plan", 1, 9_900), ("seats", 2, 2 * 1_200)],
    ]
