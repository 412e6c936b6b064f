"""Payments that fail: grace, hold, release."""

from datetime import timedelta

import pytest
import requests

from billing.models import Subscription
from billing.services.dunning import dun_due
from billing.services.subscriptions import GRACE, hold_overdue, sync_from_provider
from tests.billing.conftest import FAILS_LATER, VISA, ask, pay
from tests.standins.stripe import StripeStandin

pytestmark = pytest.mark.django_db
DAY = 86_400


def fail_next_payments(stripe: StripeStandin) -> None:
    """Make a card the customer's own that attaches and then fails."""
    subscription = stripe.account.find("subscription")[0]
    card = {"number": FAILS_LATER, "exp_month": 12, "exp_year": 2040, "cvc": "123"}
    wish = {f"card[{name}]": value for name, value in card.items()}
    method = ask(stripe, "payment_methods", type="card", **wish)["id"]
    ask(stripe, f"payment_methods/{method}/attach", customer=subscription["customer"])
    ask(stripe, f"subscriptions/{subscription['id']}", default_payment_method=method)


def test_an_overdue_payment_is_held_after_its_grace_and_released_when_paid(
    shop, api, globex, settle, control, now
):
    pay(api(globex).post("/api/v1/checkout", {"plan": "growth"})["url"])
    settle()
    fail_next_payments(shop)
    control("clock", advance_seconds=32 * DAY)
    settle()
    row = Subscription.objects.get(tenant=globex)
    assert (row.plan, row.status) == ("growth", "past_due")
    api(globex).get("/api/v1/members")

    assert row.grace_ends_at is not None
    assert hold_overdue(now=row.grace_ends_at - timedelta(seconds=1)) == 0
    assert hold_overdue(now=row.grace_ends_at) == 1

    api(globex).get("/api/v1/members")
    guest = {"email": "ana@guests.test"}
    refused = api(globex).post("/api/v1/seats", guest, status=402)
    assert (refused["code"], refused["degree"]) == ("subscription_past_due", "read_only")
    for days in (1, 3, 5, 7, 10, 14):
        assert dun_due(now=now + timedelta(days=days + 1)) == 1
    refused = api(globex).get("/api/v1/members", status=402)
    assert (refused["code"], refused["degree"]) == ("subscription_past_due", "suspended")
    assert api(globex).get("/api/v1/subscription")["status"] == "past_due"
    unpaid = next(i for i in shop.account.find("invoice") if i["status"] == "open")
    requests.post(f"{shop.url}/i/{unpaid['id']}", data={"card": VISA}, timeout=10)
    settle()
    paid = Subscription.objects.get(tenant=globex)
    assert (paid.status, paid.grace_ends_at) == ("active", None)
    api(globex).get("/api/v1/members")


def test_grace_begins_once_however_often_the_provider_is_asked(
    shop, api, globex, settle, control, now
):
    pay(api(globex).post("/api/v1/checkout", {"plan": "growth"})["url"])
    settle()
    fail_next_payments(shop)
    control("clock", advance_seconds=32 * DAY)
    row = Subscription.objects.get(tenant=globex)
    for later in (0, 1, 2):
        sync_from_provider(
            provider="stripe",
            subscription_id=row.provider_subscription_id,
            now=now + timedelta(days=later),
        )

    row.refresh_from_db()
    assert row.grace_ends_at == now + GRACE
