"""The pages where a person pays, changes a plan, or settles an invoice."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import requests
import stripe

from tests.standins.stripe import StripeStandin

Events = Callable[[], list[Any]]

BACK = "http://acme.plaza.localhost:8000/billing"


@pytest.fixture
def prices(client: stripe.StripeClient) -> dict[str, str]:
    """Monthly prices by plan: starter at 29, growth at 99."""
    found = {}
    for name, cents in (("starter", 2900), ("growth", 9900)):
        product = client.v1.products.create({"name": name.title()})
        found[name] = client.v1.prices.create(
            {
                "product": product.id,
                "currency": "usd",
                "unit_amount": cents,
                "recurring": {"interval": "month"},
            }
        ).id
    return found


def _session(client: stripe.StripeClient, price: str, **more: Any) -> stripe.checkout.Session:
    wish: Any = {
        "mode": "subscription",
        "line_items": [{"price": price, "quantity": 1}],
        "success_url": f"{BACK}?ok=1",
        "cancel_url": f"{BACK}?ok=0",
        **more,
    }
    return client.v1.checkout.sessions.create(wish)


def _press(address: str | None, **form: str) -> requests.Response:
    return requests.post(str(address), data=form, timeout=10, allow_redirects=False)


def _subscribed(client: stripe.StripeClient, prices: dict[str, str]) -> stripe.Subscription:
    session = _session(client, prices["starter"], customer_email="owner@acme.test")
    _press(session.url, card="4242424242424242", email="owner@acme.test")
    done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]})
    assert isinstance(done.subscription, stripe.Subscription)
    return done.subscription


def test_a_declined_card_is_told_and_another_may_be_tried(
    client: stripe.StripeClient, prices: dict[str, str], events: Events
) -> None:
    session = _session(client, prices["growth"])

    declined = [
        _press(session.url, card=card, email="owner@acme.test")
        for card in ("4000000000000002", "4000000000000341")
    ]
    nothing_yet = client.v1.subscriptions.list().data
    paid = _press(session.url, card="5555555555554444", email="owner@acme.test")

    assert [one.status_code for one in declined] == [200, 200]
    assert all("Your card was declined." in one.text for one in declined)
    assert nothing_yet == []
    assert paid.headers["Location"] == f"{BACK}?ok=1"
    assert [event["type"] for event in events()].count("checkout.session.completed") == 1


def test_a_person_who_goes_back_has_bought_nothing(
    client: stripe.StripeClient, prices: dict[str, str]
) -> None:
    session = _session(client, prices["growth"])

    back = _press(f"{session.url}/cancel")

    assert (back.status_code, back.headers["Location"]) == (303, f"{BACK}?ok=0")
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"


def test_a_paid_and_an_expired_page_are_closed(
    client: stripe.StripeClient, prices: dict[str, str]
) -> None:
    paid, expired = (_session(client, prices["growth"]) for _ in range(2))
    _press(paid.url, card="4242424242424242", email="owner@acme.test")
    client.v1.checkout.sessions.expire(expired.id)

    answers = [
        _press(one.url, card="4242424242424242", email="a@b.test") for one in (paid, expired)
    ]

    assert [one.status_code for one in answers] == [410, 410]
    assert len(client.v1.subscriptions.list().data) == 1


def test_a_trial_from_checkout_bills_nothing_yet(
    client: stripe.StripeClient, prices: dict[str, str]
) -> None:
    session = _session(
        client,
        prices["growth"],
        subscription_data={"trial_period_days": 14, "metadata": {"plaza_tenant": "t1"}},
    )
    page = requests.get(str(session.url), timeout=5)

    _press(session.url, card="4242424242424242", email="owner@acme.test")

    done = client.v1.checkout.sessions.retrieve(
        session.id, {"expand": ["subscription", "line_items"]}
    )
    assert "<td>USD 0.00</td>" in page.text
    assert isinstance(done.subscription, stripe.Subscription)
    assert (done.subscription.status, done.payment_status) == ("trialing", "no_payment_required")
    assert done.subscription.metadata["plaza_tenant"] == "t1"
    assert done.line_items is not None
    assert [line.description for line in done.line_items.data] == ["Growth"]


def test_one_payment_and_one_saved_card(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"email": "owner@acme.test"}).id
    item: Any = {
        "price_data": {"currency": "eur", "unit_amount": 500, "product_data": {"name": "Credit"}},
        "quantity": 3,
    }
    once = client.v1.checkout.sessions.create(
        {"mode": "payment", "line_items": [item], "customer": customer, "success_url": BACK}
    )
    saved = client.v1.checkout.sessions.create(
        {"mode": "setup", "customer": customer, "success_url": BACK, "currency": "eur"}
    )
    for session in (once, saved):
        _press(session.url, card="4242424242424242", email="owner@acme.test")

    paid = client.v1.checkout.sessions.retrieve(once.id, {"expand": ["payment_intent"]})
    kept = client.v1.checkout.sessions.retrieve(saved.id, {"expand": ["setup_intent"]})

    assert isinstance(paid.payment_intent, stripe.PaymentIntent)
    assert (paid.payment_intent.amount_received, paid.payment_status) == (1500, "paid")
    assert isinstance(kept.setup_intent, stripe.SetupIntent)
    assert kept.setup_intent.status == "succeeded"
    assert len(client.v1.customers.payment_methods.list(customer).data) == 2


def test_the_portal_changes_cancels_and_takes_another_card(
    client: stripe.StripeClient, prices: dict[str, str], events: Events
) -> None:
    subscription = _subscribed(client, prices)
    customer = str(subscription.customer)
    portal = client.v1.billing_portal.sessions.create({"customer": customer, "return_url": BACK})
    page = requests.get(portal.url, timeout=5).text

    fields = {"subscription": subscription.id}
    _press(portal.url, do="change", price=prices["growth"], **fields)
    _press(portal.url, do="cancel", **fields)
    _press(portal.url, do="card", card="5555555555554444")

    after = client.v1.subscriptions.retrieve(
        subscription.id, {"expand": ["latest_invoice", "default_payment_method"]}
    )
    assert "Growth: 1 × USD 99.00 / month" in page
    assert after.items.data[0].price.id == prices["growth"]
    assert after.cancel_at_period_end is True
    assert isinstance(after.latest_invoice, stripe.Invoice)
    assert (after.latest_invoice.status, after.latest_invoice.total) == ("paid", 7000)
    assert isinstance(after.default_payment_method, stripe.PaymentMethod)
    assert after.default_payment_method.card is not None
    assert after.default_payment_method.card.last4 == "4444"
    kinds = [event["type"] for event in events()]
    assert kinds.count("customer.subscription.updated") >= 3


def test_the_portal_is_only_the_customers_own(
    client: stripe.StripeClient, prices: dict[str, str], standin: StripeStandin
) -> None:
    theirs = _subscribed(client, prices)
    stranger = client.v1.customers.create({"email": "owner@globex.test"}).id
    portal = client.v1.billing_portal.sessions.create({"customer": stranger})

    answer = _press(portal.url, do="cancel", subscription=theirs.id)
    guessed = requests.get(f"{standin.url}/p/session/guess", timeout=5)

    assert "not the customer&#x27;s subscription" in answer.text
    assert client.v1.subscriptions.retrieve(theirs.id).cancel_at_period_end is False
    assert guessed.status_code == 410


def test_an_open_invoice_is_paid_on_its_own_page(
    client: stripe.StripeClient, events: Events
) -> None:
    customer = client.v1.customers.create({}).id
    invoice = client.v1.invoices.create({"customer": customer})
    client.v1.invoice_items.create(
        {"customer": customer, "invoice": invoice.id, "currency": "usd", "amount": 1234}
    )
    final = client.v1.invoices.finalize_invoice(invoice.id)
    page = requests.get(str(final.hosted_invoice_url), timeout=5).text

    _press(final.hosted_invoice_url, card="4242424242424242")

    assert re.search(r"Total</th><td>USD 12\.34", page) is not None
    assert client.v1.invoices.retrieve(invoice.id).status == "paid"
    assert "invoice.paid" in {event["type"] for event in events()}


def test_what_a_shop_calls_itself_is_escaped(client: stripe.StripeClient) -> None:
    product = client.v1.products.create({"name": "<script>alert(1)</script>"})
    price = client.v1.prices.create(
        {
            "product": product.id,
            "currency": "usd",
            "unit_amount": 1,
            "recurring": {"interval": "month"},
        }
    )
    page = requests.get(str(_session(client, price.id).url), timeout=5).text

    assert "<script" not in page
    assert "&lt;script&gt;" in page
