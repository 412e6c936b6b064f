"""From a catalogue to a paid subscription, as Plaza goes it with stripe-python."""

from collections.abc import Callable
from typing import Any

import requests
import stripe

from tests.standins.stripe import StripeStandin

TENANT = "01900000-0000-7000-8000-00000000acde"


def _growth(client: stripe.StripeClient) -> stripe.Price:
    product = client.v1.products.create({"name": "Growth", "metadata": {"plan": "growth"}})
    return client.v1.prices.create(
        {
            "product": product.id,
            "currency": "usd",
            "unit_amount": 9900,
            "recurring": {"interval": "month"},
            "lookup_key": "growth_usd_month",
        }
    )


def test_a_person_pays_on_the_page_and_the_subscription_names_its_tenant(
    client: stripe.StripeClient, standin: StripeStandin, events: Callable[[], list[Any]]
) -> None:
    price = _growth(client)
    customer = client.v1.customers.create({"email": "owner@acme.test"})
    session = client.v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "customer": customer.id,
            "line_items": [{"price": price.id, "quantity": 1}],
            "subscription_data": {"metadata": {"plaza_tenant": TENANT}},
            "success_url": "http://acme.plaza.localhost:8000/?paid={CHECKOUT_SESSION_ID}",
            "cancel_url": "http://acme.plaza.localhost:8000/",
        }
    )

    page = requests.get(str(session.url), timeout=10)
    paid = requests.post(
        str(session.url), data={"card": "4242424242424242"}, timeout=10, allow_redirects=False
    )

    assert (page.status_code, "USD 99.00" in page.text) == (200, True)
    assert paid.status_code == 303
    assert paid.headers["Location"] == (f"http://acme.plaza.localhost:8000/?paid={session.id}")
    arrived = {event["type"]: event for event in events()}
    completed = arrived["checkout.session.completed"]["data"]["object"]
    subscription = client.v1.subscriptions.retrieve(completed["subscription"])
    item = subscription.items.data[0]
    assert subscription.status == "active"
    assert subscription.metadata["plaza_tenant"] == TENANT
    assert subscription.customer == customer.id
    assert item.price.id == price.id
    assert item.price.lookup_key == "growth_usd_month"
    assert item.current_period_end - item.current_period_start in range(28 * 86400, 31 * 86400 + 1)
    assert arrived["invoice.paid"]["data"]["object"]["amount_paid"] == 9900
    assert "customer.subscription.created" in arrived
    assert "customer.subscription.updated" in arrived


def test_webhooks_arrive_under_plazas_own_host_name(
    client: stripe.StripeClient, receiver: Any, standin: StripeStandin
) -> None:
    client.v1.customers.create({"email": "owner@acme.test"})

    arrival = receiver.wait_for(1)[0]

    assert arrival.path == "/webhooks/stripe"
    assert arrival.headers["Host"] == f"plaza.localhost:{receiver.port}"
