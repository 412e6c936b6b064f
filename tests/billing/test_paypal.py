"""PayPal through the same services: products, consent, signed webhooks, its own words for states."""

import io
from collections.abc import Callable
from typing import Any

import pytest
import requests
from django.core.management import call_command
from django.test import Client

from billing.models import ProviderPrice, Subscription, WebhookEvent
from quotas.entitlements import snapshot
from tests.billing.conftest import order, work
from tests.standin_checks.receiver import Arrival, Receiver
from tests.standins.paypal import PayPalStandin

pytestmark = pytest.mark.django_db
DAY = 86_400


@pytest.fixture
def settle(paypal: PayPalStandin, receiver: Receiver, square: Client) -> Callable[[], list[int]]:
    """Carry every waiting webhook to Plaza and let the worker work; the answers' statuses."""
    taken = 0

    def settled() -> list[int]:
        nonlocal taken
        assert paypal.deliveries.settle(timeout_seconds=10)
        fresh = receiver.arrivals[taken:]
        taken += len(fresh)
        statuses = [knock(square, arrival) for arrival in fresh]
        work()
        return statuses

    return settled


def knock(square: Client, arrival: Arrival, **changed: Any) -> int:
    headers = {k: v for k, v in arrival.headers.items() if k.lower().startswith("paypal-")}
    body = changed.pop("body", arrival.body)
    return square.post(
        "/webhooks/paypal", body, content_type="application/json", headers=headers | changed
    ).status_code


def agree(url: str) -> None:
    """Press Agree on PayPal's page."""
    assert requests.get(url, timeout=10).status_code == 200
    answer = requests.post(url, data={"do": "agree"}, timeout=10, allow_redirects=False)
    assert answer.status_code in {200, 303}, answer.text


@pytest.fixture
def growth(paypal_shop, api, globex, settle) -> Subscription:
    """globex, paying PayPal for growth."""
    wish = {"plan": "growth", "provider": "paypal"}
    agree(api(globex).post("/api/v1/checkout", wish)["url"])
    settle()
    return Subscription.objects.get(tenant=globex)


def test_the_prices_that_paypal_takes_are_made_once(db, paypal):
    call_command("plans", "sync", yes=True, stdout=io.StringIO())
    assert ProviderPrice.objects.filter(provider="paypal", is_current=True).count() == 24
    assert not ProviderPrice.objects.filter(currency="CRC").exists()
    plan = next(p for p in paypal.merchant.find("plan") if p["name"] == "plaza_growth_mxn_month")
    scheme = plan["billing_cycles"][0]["pricing_scheme"]
    assert scheme["fixed_price"] == {"value": "1849.00", "currency_code": "MXN"}

    call_command("plans", "sync", stdout=io.StringIO())

    assert len(paypal.merchant.find("plan")) == 24


def test_a_buyers_consent_upgrades_the_tenant(growth, api, globex, settle, now):
    assert (growth.plan, growth.status, growth.provider) == ("growth", "active", "paypal")
    assert growth.period_ends_at > growth.period_starts_at
    assert snapshot(globex.id, now=now).plan == "growth"
    kinds = set(WebhookEvent.objects.filter(status="done").values_list("kind", flat=True))
    assert kinds == {"BILLING.SUBSCRIPTION.ACTIVATED", "PAYMENT.SALE.COMPLETED"}


def test_without_consent_nothing_changes(paypal_shop, api, globex, settle):
    api(globex).post("/api/v1/checkout", {"plan": "growth", "provider": "paypal"})
    settle()

    assert Subscription.objects.get(tenant=globex).plan == "starter"


def test_a_change_waits_for_the_buyers_consent(growth, api, globex, settle):
    asked = api(globex).post("/api/v1/subscription/change", {"plan": "scale"}, status=200)
    settle()
    waiting = Subscription.objects.get(tenant=globex)

    agree(asked["consent_url"])
    settle()

    assert (waiting.plan, waiting.pending_plan) == ("growth", "scale")
    row = Subscription.objects.get(tenant=globex)
    assert (row.plan, row.pending_plan) == ("scale", "")


def test_free_cancels_at_paypal_which_knows_no_end_of_period(growth, api, globex, settle):
    api(globex).post("/api/v1/subscription/change", {"plan": "free"}, status=200)
    settle()

    row = Subscription.objects.get(tenant=globex)
    assert (row.plan, row.status) == ("free", "cancelled")


def test_failed_payments_are_past_due_and_then_paused(growth, paypal_shop, globex, settle):
    order(paypal_shop, "funds", subscription=growth.provider_subscription_id, funds="declined")
    order(paypal_shop, "clock", advance_seconds=32 * DAY)
    settle()
    overdue = Subscription.objects.get(tenant=globex)
    order(paypal_shop, "clock", advance_seconds=12 * DAY)
    settle()
    suspended = Subscription.objects.get(tenant=globex)

    assert (overdue.plan, overdue.status) == ("growth", "past_due")
    assert (suspended.plan, suspended.status) == ("free", "paused")


def test_what_paypal_does_not_take_is_not_for_sale(paypal_shop, api, globex):
    wish = {"plan": "growth", "provider": "paypal", "currency": "CRC"}

    assert api(globex).post("/api/v1/checkout", wish, status=409)["code"] == "plan_not_for_sale"


def test_forged_and_changed_webhooks_are_refused(paypal_shop, api, globex, receiver, square):
    assert paypal_shop.deliveries.settle(timeout_seconds=10)
    genuine = receiver.arrivals[-1]
    other = receiver.arrivals[-2]
    evil = "https://evil.test/cert.pem"
    old = "2020-01-01T00:00:00Z"

    statuses = {
        "body": knock(square, genuine, body=genuine.body + b" "),
        "signature": knock(square, genuine, **{"Paypal-Transmission-Sig": "AAAA"}),
        "another's": knock(
            square, genuine,
            **{"Paypal-Transmission-Sig": other.headers["PAYPAL-TRANSMISSION-SIG"]},
        ),
        "address": knock(square, genuine, **{"Paypal-Cert-Url": evil}),
        "algorithm": knock(square, genuine, **{"Paypal-Auth-Algo": "SHA1withRSA"}),
        "age": knock(square, genuine, **{"Paypal-Transmission-Time": old}),
        "missing": knock(square, genuine, **{"Paypal-Transmission-Id": ""}),
    }  # fmt: skip

    assert set(statuses.values()) == {400}, statuses
    assert not WebhookEvent.objects.exists()
    assert knock(square, genuine) == 200


def test_where_the_certificate_cannot_be_had_paypal_is_asked(paypal_shop, receiver, square):
    """The second way: the address is allowed, and answers nothing."""
    assert paypal_shop.deliveries.settle(timeout_seconds=10)
    genuine = receiver.arrivals[-1]
    elsewhere = f"{paypal_shop.url}/v1/notifications/certs/CERT-nothing"

    status = knock(square, genuine, **{"Paypal-Cert-Url": elsewhere})

    assert status == 400  # PayPal does not vouch for it either
    asked = [request["path"] for request in paypal_shop.requests]
    assert asked[-1] == "/v1/notifications/verify-webhook-signature"


def test_paypal_vouches_for_a_certificate_that_we_cannot_prove(
    paypal_shop, receiver, square, monkeypatch
):
    from billing.providers import paypal_signatures

    assert paypal_shop.deliveries.settle(timeout_seconds=10)
    # As if the chain led to a root that is new to us.
    monkeypatch.setattr(paypal_signatures, "_roots", lambda _: paypal_signatures._public_roots())

    assert knock(square, receiver.arrivals[-1]) == 200
    forged = knock(square, receiver.arrivals[-2], **{"Paypal-Transmission-Sig": "AAAA"})
    assert forged == 400


def test_a_rotated_certificate_is_taken(paypal_shop, api, globex, settle):
    order(paypal_shop, "certificates/rotate")
    api(globex).post("/api/v1/checkout", {"plan": "growth", "provider": "paypal"})

    assert set(settle()) == {200}
