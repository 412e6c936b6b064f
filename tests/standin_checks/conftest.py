"""Stand-ins that check every answer, and a receiver of their webhooks."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
import stripe

from tests.standin_checks.receiver import Receiver
from tests.standins.stripe import StripeStandin

WEBHOOK_SECRET = "whsec_test_of_the_standin"
API_KEY = "sk_test_of_the_standin"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def standin(receiver: Receiver) -> Iterator[StripeStandin]:
    """It posts its webhooks to the receiver as to plaza.localhost."""
    with StripeStandin(
        validate=True,
        retry_seconds=0.02,
        webhook_url=f"http://plaza.localhost:{receiver.port}/webhooks/stripe",
        webhook_secret=WEBHOOK_SECRET,
    ) as running:
        yield running
        assert running.violations == []


@pytest.fixture
def client(standin: StripeStandin) -> stripe.StripeClient:
    return stripe.StripeClient(API_KEY, base_addresses={"api": standin.url}, max_network_retries=0)


@pytest.fixture
def control(standin: StripeStandin) -> Callable[..., Any]:
    """`control("clock", advance_seconds=60)`: an order to the stand-in."""

    def ordered(path: str, /, **asked: Any) -> Any:
        answer = requests.post(f"{standin.url}/_standin/{path}", json=asked, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return ordered


@pytest.fixture
def events(receiver: Receiver, standin: StripeStandin) -> Callable[[], list[Any]]:
    """Every event that arrived so far, its signature proven, in order of arrival."""

    def arrived() -> list[Any]:
        assert standin.deliveries.settle(timeout_seconds=10)
        found = []
        for arrival in receiver.arrivals:
            stripe.Webhook.construct_event(
                arrival.body, arrival.headers["Stripe-Signature"], WEBHOOK_SECRET
            )
            found.append(json.loads(arrival.body))
        return found

    return arrived


@pytest.fixture
def price(client: stripe.StripeClient) -> Callable[..., str]:
    """`price(1000, interval="year")`: the id of a new price of one product."""
    product = client.v1.products.create({"name": "Growth"}).id

    def made(cents: int, interval: str = "month", **more: Any) -> str:
        recurring = {"interval": interval, **more}
        wish: Any = {
            "product": product,
            "currency": "usd",
            "unit_amount": cents,
            "recurring": recurring,
        }
        return client.v1.prices.create(wish).id

    return made


@pytest.fixture
def customer(client: stripe.StripeClient) -> str:
    made = client.v1.customers.create(
        {
            "email": "owner@acme.test",
            "payment_method": "pm_card_visa",
            "invoice_settings": {"default_payment_method": "pm_card_visa"},
        }
    )
    return made.id


@pytest.fixture
def january(control: Callable[..., Any]) -> int:
    """The stand-in's clock stands at 31 January 2026."""
    start = int(datetime(2026, 1, 31, tzinfo=UTC).timestamp())
    control("clock", now=start, stopped=True)
    return start
