"""Another currency: from the next period on, what is kept of the old one, and who collects in the new one."""

from datetime import timedelta
from typing import Any

import pytest
import requests

from billing import books
from billing.models import Invoice, Subscription
from billing.money import Money
from billing.services import amending, commands, coupons
from billing.services.closing import close_due
from billing.services.wishes import Wish
from config.errors import DomainError
from config.needs import Meter
from quotas.caps.services import cap_spending
from quotas.entitlements import snapshot
from quotas.merging import Cap
from tests.billing.collected import obey
from tests.billing.conftest import pay
from tests.billing.paying import FEB_28, JAN_31, MAR_31, invoices, paying, told, use

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
TO_PESOS: dict[str, Any] = {"currency": "MXN", "seats": 22}


def live(shop: Any) -> list[tuple[str, str]]:
    """Stripe's subscriptions that are not over: status and currency."""
    found = shop.account.find("subscription")
    return [(one["status"], one["currency"]) for one in found if one["status"] != "canceled"]


def test_the_use_is_billed_in_the_old_currency_and_the_next_period_in_the_new_one(globex):
    paying(globex)
    use(globex, 10_000_001, at=JAN_31 + DAY, key="tokens")
    quote = amending.preview(tenant_id=globex.id, wish=Wish(**TO_PESOS), now=JAN_31 + 2 * DAY)
    made = amending.change(tenant_id=globex.id, wish=Wish(**TO_PESOS), now=JAN_31 + 2 * DAY)
    assert (quote.is_at_once, quote.effective_at, made.invoice) == (False, FEB_28, None)
    assert made.row.currency == "USD"

    close_due(now=FEB_28)

    of_use, of_pesos = invoices(globex)[1:]
    assert (of_use.currency, told(of_use)["lines"]) == ("USD", [("usage", 10_000_001, 360)])
    assert (of_pesos.currency, told(of_pesos)["lines"]) == (
        "MXN", [("plan", 1, 184_900), ("seats", 2, 43_800)],
    )  # fmt: skip
    assert quote.draft is not None
    assert quote.draft.total == Money(of_pesos.total_minor, "MXN")
    row = Subscription.objects.get(tenant=globex)
    assert (row.currency, snapshot(globex.id, now=FEB_28).limit(Meter.SEATS)) == ("MXN", 22)
    close_due(now=MAR_31)
    assert [one.currency for one in invoices(globex)[3:]] == ["MXN"]


def test_credit_coupons_and_spend_cap_keep_to_the_currency_in_which_they_were_given(globex):
    """The policy of billing/services/switching.py."""
    paying(globex)
    books.grant_credit(
        tenant_id=globex.id, amount=Money(1_000, "USD"), note="", by="us", key="k", now=JAN_31
    )
    cap_spending(tenant_id=globex.id, cap=Cap(5_000, "USD"), by="x", now=JAN_31)
    for code in ("WELCOME20", "TENOFF"):
        coupons.redeem(tenant_id=globex.id, code=code, now=JAN_31)
    use(globex, 10_000_001, at=JAN_31 + DAY, key="tokens")
    amending.change(tenant_id=globex.id, wish=Wish(currency="MXN"), now=JAN_31 + DAY)
    close_due(now=FEB_28)

    _, of_use, of_pesos = invoices(globex)
    assert (of_use.applied_minor, of_use.amount_due.amount, of_pesos.applied_minor) == (360, 0, 0)
    assert books.balances(globex.id) == [Money(640, "USD")]
    # 20 % of 1,849.00, and then the 189.00 that the coupon says in pesos.
    off = [line for line in told(of_pesos)["lines"] if line[0] == "discount"]
    assert off == [("discount", 1, -36_980), ("discount", 1, -18_900)]
    found = snapshot(globex.id, now=FEB_28)
    assert (found.budget_unit, found.spend_cap) == ("MXN", 0)
    cap_spending(tenant_id=globex.id, cap=Cap(90_000, "MXN"), by="x", now=FEB_28)
    assert snapshot(globex.id, now=FEB_28).spend_cap == 90_000


def test_a_currency_that_waits_can_be_called_off_and_nobody_is_told(globex):
    paying(globex)
    amending.change(tenant_id=globex.id, wish=Wish(currency="EUR", plan="scale"), now=JAN_31 + DAY)
    amending.resume(tenant_id=globex.id, now=JAN_31 + 2 * DAY)
    close_due(now=FEB_28)

    assert [(one.currency, one.total_minor) for one in invoices(globex)] == [("USD", 9_900)] * 2


@pytest.fixture
def at_stripe(shop, api, globex, settle, now) -> Subscription:
    """globex pays Stripe for growth in dollars, and wishes to pay in pesos."""
    pay(api(globex).post("/api/v1/checkout", {"plan": "growth"})["url"])
    settle()
    obey(now=now)
    quote = api(globex).post("/api/v1/subscription/preview", TO_PESOS, status=200)
    assert (quote["at_once"], quote["currency"]) == (False, "MXN")
    asked = api(globex).post("/api/v1/subscription/change", TO_PESOS, status=200)
    waits = asked["pending_change"]
    assert (asked["currency"], waits["status"], waits["currency"]) == ("USD", "scheduled", "MXN")
    assert live(shop) == [("active", "usd")]
    return Subscription.objects.get(tenant=globex)


@pytest.mark.parametrize("fault", ["none", "lost_answer", "error"])
def test_stripe_ends_the_old_subscription_and_collects_in_the_new_currency(
    shop, at_stripe, settle, control, globex, fault
):
    over = at_stripe.billed_until + timedelta(minutes=5)
    control("clock", now=int(over.timestamp()))
    close_due(now=over)
    settle()  # Stripe renewed the old one by itself: that changes nothing any more
    assert Subscription.objects.get(tenant=globex).currency == "MXN"
    if fault != "none":
        control("faults", kind=fault, times=3, path="/v1/subscriptions")
    obey(now=over)
    settle()
    shop.faults.clear()
    later = over + timedelta(minutes=30)
    commands.retry_due(now=later)
    obey(now=later)
    settle()

    row = Subscription.objects.get(tenant=globex)
    assert live(shop) == [("active", "mxn")]
    (new,) = [one for one in shop.account.find("subscription") if one["status"] == "active"]
    assert (row.provider_subscription_id, row.plan, row.status) == (new["id"], "growth", "active")
    assert new["pause_collection"] == {"behavior": "void", "resumes_at": None}
    paid = Invoice.objects.order_by("issued_at", "number").values_list(
        "currency", "total_minor", "status"
    )
    assert list(paid) == [("USD", 9_900, "paid"), ("MXN", 228_700, "paid")]
    charges = [
        (one["currency"], one["amount"])
        for one in shop.account.find("charge")
        if one["status"] == "succeeded"
    ]
    assert charges == [("usd", 9_900), ("mxn", 228_700)]


def test_while_stripe_is_to_switch_another_plan_waits(shop, at_stripe, globex):
    close_due(now=at_stripe.billed_until)

    with pytest.raises(DomainError) as refused:
        amending.change(
            tenant_id=globex.id, wish=Wish(plan="scale"), now=at_stripe.billed_until + SECOND
        )
    assert refused.value.code == "payment_provider_not_yet"


def test_before_anything_is_paid_for_a_currency_is_that_of_the_checkout(api, globex):
    shown = api(globex).post("/api/v1/subscription/change", {"currency": "EUR"}, status=200)

    assert (shown["currency"], shown["pending_change"]) == ("EUR", None)


def test_the_standin_lets_no_customer_have_two_currencies(shop, at_stripe):
    (pesos,) = [
        one["id"]
        for one in shop.account.find("price")
        if one["lookup_key"] == "plaza_growth_mxn_month"
    ]
    answer = requests.post(
        f"{shop.url}/v1/subscriptions", auth=("sk_test_x", ""), timeout=10,
        data={"customer": at_stripe.provider_customer_id, "items[0][price]": pesos},
    )  # fmt: skip
    assert "combine currencies" in answer.json()["error"]["message"]
