"""The same usage billed through Stripe and through PayPal: equal lines, to the cent."""

from typing import Any

import pytest

from billing import books
from billing.models import Invoice, Subscription
from billing.rating.lines import Draft
from billing.rating.terms import Buyer, Usage
from billing.services import collecting
from billing.services.bills import bill_of
from billing.services.subscriptions import sync_from_provider
from config.needs import Meter
from tests.billing.collected import obey
from tests.billing.conftest import order, pay
from tests.billing.offers import APRIL, FIFTH, rated, stretch, terms
from tests.billing.test_collecting import shop  # noqa: F401 - a fixture
from tests.billing.test_collecting_paypal import taken
from tests.billing.test_paypal import agree, settle  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
DAY = 86_400
# Beside the allowance of 1,000: sums that end on half a cent, and large ones.
USED = (1_025, 98_761, 1_234_565)


def usage_draft(used: int) -> Draft:
    """Seven seats of a plan with a fifth off, e-mails by the tenth of a cent, and IVA on all of it."""
    mail = Usage(meter=Meter.EMAILS, terms=terms(), period=APRIL, quantity=used)
    begins = stretch(terms(seats=7), coupons=(FIFTH,))
    return rated(begins=begins, usage=(mail,), buyer=Buyer("MX"), seller="MX")


@pytest.fixture
def both(shop, paypal_shop, settings, api, acme, globex, settle, now) -> list[Any]:  # noqa: F811
    """globex pays through Stripe and acme through PayPal; what the checkouts took has paid their first invoices."""
    settings.STRIPE_API_KEY = "sk_test_of_the_tests"
    pay(api(globex).post("/api/v1/checkout", {"plan": "growth"})["url"])
    wish = {"plan": "growth", "provider": "paypal"}
    agree(api(acme).post("/api/v1/checkout", wish)["url"])
    settle()
    held = shop.account.find("subscription")[0]["id"]
    sync_from_provider(provider="stripe", subscription_id=held, now=now)
    obey(now=now)
    firsts = Invoice.objects.order_by("tenant_id")
    assert [(one.status, one.total_minor) for one in firsts] == [("paid", 9_900)] * 2
    return [globex, acme]


def collect(tenant: Any, key: str, now: Any) -> Invoice:
    invoice = Invoice.objects.get(tenant_id=tenant.pk, key=key)
    collecting.promise_collection(invoice_id=invoice.pk, now=now)
    obey(now=now)
    invoice.refresh_from_db()
    return invoice


def billed(tenant: Any, used: int, now: Any) -> tuple[list[Any], Invoice]:
    """Issue and collect; what the provider was told of it."""
    books.issue(
        tenant_id=tenant.pk,
        draft=usage_draft(used),
        kind=Invoice.Kind.PERIOD,
        key=f"used-{used}",
        now=now,
    )
    invoice = Invoice.objects.get(tenant_id=tenant.pk, key=f"used-{used}")
    told = bill_of(invoice, Subscription.objects.get(tenant=tenant))
    return [(one.text, one.amount) for one in told.lines], collect(tenant, f"used-{used}", now)


def test_equal_lines_and_equal_money_at_once(shop, paypal_shop, both, now):  # noqa: F811
    order(paypal_shop, "balances", may_raise=True)
    totals = []
    for used in USED:
        (at_stripe, ours), (at_paypal, theirs) = [billed(tenant, used, now) for tenant in both]
        assert at_stripe == at_paypal
        assert (ours.status, theirs.status) == ("paid", "paid")
        totals.append(ours.total_minor)

    assert totals == [4_364, 15_702, 147_455]
    charged = [one["amount"] for one in shop.account.find("charge") if one["paid"]]
    assert charged == [9_900, *totals]
    assert [round(float(value) * 100) for value in taken(paypal_shop)] == charged


def test_where_paypal_carries_it_the_next_cycle_takes_the_same_sum(
    shop,  # noqa: F811
    paypal_shop,
    both,
    settle,  # noqa: F811
    now,
):
    _, ours = billed(both[0], USED[1], now)
    _, theirs = billed(both[1], USED[1], now)
    assert (ours.status, theirs.status) == ("paid", "open")

    order(paypal_shop, "clock", advance_seconds=32 * DAY)
    settle()
    theirs.refresh_from_db()
    assert theirs.status == "paid"
    charged = sum(one["amount"] for one in shop.account.find("charge") if one["paid"])
    took = sum(round(float(value) * 100) for value in taken(paypal_shop))
    # PayPal's own cycle took the plan's price with it, which waits for the next invoice.
    assert took == charged + 9_900
    assert [credit.amount for credit in books.balances(both[1].pk)] == [9_900]
