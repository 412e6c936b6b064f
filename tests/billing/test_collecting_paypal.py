"""An issued invoice, collected by PayPal: its own cycle first, then exactly what is still due."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from billing import books
from billing.models import Invoice, Payment, ProviderCommand, Subscription
from billing.money import Money
from billing.services import commands
from tests.billing.collected import issued, obey, outcomes
from tests.billing.conftest import order
from tests.billing.test_paypal import agree, settle  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
DAY = 86_400


@pytest.fixture
def paying(paypal_shop, api, globex, settle) -> Subscription:  # noqa: F811
    """globex, which pays growth through PayPal, and whose first payment is entered."""
    wish = {"plan": "growth", "provider": "paypal"}
    agree(api(globex).post("/api/v1/checkout", wish)["url"])
    settle()
    assert set(obey(now=datetime.now(UTC))) <= {"done"}
    first = Invoice.objects.get()
    assert (first.kind, first.status, first.paid_minor) == ("start", "paid", 9_900)
    ProviderCommand.objects.filter(kind="collect").delete()
    return Subscription.objects.get(tenant=globex)


def taken(standin: Any) -> list[str]:
    """What PayPal took from the buyer, in order."""
    done = standin.merchant.find("transaction", lambda one: one["status"] != "DECLINED")
    return [one["amount_with_breakdown"]["gross_amount"]["value"] for one in done]


def outstanding(standin: Any) -> str:
    (held,) = standin.merchant.find("subscription")
    return str(held["billing_info"]["outstanding_balance"]["value"])


def test_what_is_due_is_captured_to_the_cent_where_the_balance_may_be_raised(
    paypal_shop, paying, now
):
    order(paypal_shop, "balances", may_raise=True)
    invoice = issued(paying.tenant_id, "november", now=now)
    assert obey(now=now) == ["done"]

    assert taken(paypal_shop) == ["99.00", "276.44"]
    invoice.refresh_from_db()
    assert (invoice.status, outcomes()) == ("paid", ["paid"])
    payment = Payment.objects.get(invoice=invoice)
    assert (payment.amount, payment.fee_minor) == (Money(27_644, "USD"), 1_014)
    assert outstanding(paypal_shop) == "0.00"


@pytest.mark.parametrize("kind", ["lost_answer", "error", "no_answer"])
def test_a_capture_whose_answer_is_lost_is_not_made_again(paypal_shop, paying, now, kind):
    order(paypal_shop, "balances", may_raise=True)
    path = f"/v1/billing/subscriptions/{paying.provider_subscription_id}/capture"
    invoice = issued(paying.tenant_id, "november", now=now)
    order(paypal_shop, "faults", kind=kind, times=3, path=path)
    first = obey(now=now)
    paypal_shop.faults.clear()
    commands.retry_due(now=now + timedelta(hours=1))
    obey(now=now + timedelta(hours=1))

    assert first == ["waiting"]
    assert taken(paypal_shop) == ["99.00", "276.44"]
    invoice.refresh_from_db()
    assert (invoice.status, outstanding(paypal_shop)) == ("paid", "0.00")


def test_a_decline_leaves_nothing_that_paypal_would_take_by_itself(paypal_shop, paying, now):
    order(paypal_shop, "balances", may_raise=True)
    order(paypal_shop, "funds", subscription=paying.provider_subscription_id, funds="declined")
    invoice = issued(paying.tenant_id, "november", now=now)
    obey(now=now)

    invoice.refresh_from_db()
    assert (invoice.status, outcomes()) == ("open", ["declined declined"])
    assert (taken(paypal_shop), outstanding(paypal_shop)) == (["99.00"], "0.00")


def test_where_it_may_not_be_raised_the_next_cycle_takes_it_and_the_price_is_the_plans_again(
    paypal_shop,
    paying,
    settle,  # noqa: F811
    now,
):
    invoice = issued(paying.tenant_id, "november", now=now)
    obey(now=now)
    assert outcomes() == ["carried"]
    assert taken(paypal_shop) == ["99.00"]

    order(paypal_shop, "clock", advance_seconds=32 * DAY)
    settle()
    assert taken(paypal_shop) == ["99.00", "375.44"]
    invoice.refresh_from_db()
    assert invoice.status == "paid"
    assert books.balances(paying.tenant_id) == [Money(9_900, "USD")]

    following = issued(paying.tenant_id, "december", now=now + timedelta(days=32))
    assert following.amount_due == Money(27_644 - 9_900, "USD")
    obey(now=now + timedelta(days=32))
    order(paypal_shop, "clock", advance_seconds=31 * DAY)
    settle()
    following.refresh_from_db()
    assert taken(paypal_shop) == ["99.00", "375.44", "276.44"]
    assert (following.status, books.balances(paying.tenant_id)) == ("paid", [Money(9_900, "USD")])


def test_paypals_own_cycle_comes_first(paypal_shop, paying, settle, now):  # noqa: F811
    order(paypal_shop, "balances", may_raise=True)
    soon = datetime.fromisoformat(
        paypal_shop.merchant.find("subscription")[0]["billing_info"]["next_billing_time"]
    )
    invoice = issued(paying.tenant_id, "november", now=soon)
    obey(now=soon)
    command = ProviderCommand.objects.get(kind="collect")
    assert (command.status, command.attempts, taken(paypal_shop)) == ("waiting", 0, ["99.00"])

    order(paypal_shop, "clock", advance_seconds=32 * DAY)
    settle()
    later = soon + timedelta(days=1)
    commands.retry_due(now=later)
    obey(now=later)

    assert taken(paypal_shop) == ["99.00", "99.00", "177.44"]
    invoice.refresh_from_db()
    assert invoice.status == "paid"


def test_a_refund_of_a_capture_goes_back_once(paypal_shop, paying, settle, now):  # noqa: F811
    from billing.services.refunding import send_back

    order(paypal_shop, "balances", may_raise=True)
    invoice = issued(paying.tenant_id, "november", now=now)
    obey(now=now)
    note = books.credit_note(
        invoice_id=invoice.pk, reason="seats", key="cn", now=now, amounts={2: 2_697}
    )
    payment = Payment.objects.get(invoice=invoice)
    path = f"/v2/payments/captures/{payment.provider_ref}/refund"
    order(paypal_shop, "faults", kind="lost_answer", times=3, path=path)
    made = send_back(payment_id=payment.pk, amount=note.total, key="back", now=now)
    obey(now=now)
    paypal_shop.faults.clear()
    commands.retry_due(now=now + timedelta(hours=1))
    obey(now=now + timedelta(hours=1))
    settle()

    made.refresh_from_db()
    assert (made.status, made.amount_minor) == ("sent", 3_129)
    (back,) = paypal_shop.merchant.find("refund")
    assert (made.provider_ref, back["amount"]["value"]) == (back["id"], "31.29")
