"""A Stripe stand-in beside the test's own database: real HTTP both ways, webhooks carried by hand.

The stand-in posts its signed webhooks to a receiver; `knock` carries them to Plaza as they are, so
that a test decides when, how often and in which order they come.
"""

import io
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import requests
from django.core.management import call_command
from django.test import Client

from billing.providers import gateway
from billing.services import prices
from billing.tasks import handle_webhook
from config.models import OutboxMessage
from tests.standin_checks.receiver import Arrival, Receiver
from tests.standins.paypal import PayPalStandin
from tests.standins.server import Standin
from tests.standins.stripe import StripeStandin

SECRET = "whsec_of_the_tests"
PAYPAL_WEBHOOK_ID, PAYPAL_SECRET = "WHOFTHETESTS", "secret-of-the-tests"
VISA, FAILS_LATER = "4242424242424242", "4000000000000341"


@pytest.fixture
def square() -> Client:
    return Client(headers={"Host": "plaza.localhost"})


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def stripe(settings: Any, receiver: Receiver) -> Iterator[StripeStandin]:
    """The provider, with nothing in it."""
    url = f"http://127.0.0.1:{receiver.port}/webhooks/stripe"
    with StripeStandin(webhook_url=url, webhook_secret=SECRET, retry_seconds=0.02) as running:
        settings.STRIPE_API_KEY = "sk_test_of_the_tests"
        settings.STRIPE_API_BASE = running.url
        settings.STRIPE_WEBHOOK_SECRET = SECRET
        settings.PAYPAL_CLIENT_ID = ""
        yield running
        assert running.violations == []


@pytest.fixture
def shop(db: None, stripe: StripeStandin) -> StripeStandin:
    """The provider, with our prices."""
    call_command("plans", "sync", yes=True, stdout=io.StringIO())
    return stripe


@pytest.fixture
def control(stripe: StripeStandin) -> Callable[..., Any]:
    """`control("clock", advance_seconds=60)`: an order to the stand-in."""

    return partial(order, stripe)


@pytest.fixture
def arrivals(stripe: StripeStandin, receiver: Receiver) -> Callable[[], list[Arrival]]:
    """The webhooks that came since the last call, in order of arrival."""
    taken = 0

    def fresh() -> list[Arrival]:
        nonlocal taken
        assert stripe.deliveries.settle(timeout_seconds=10)
        found = receiver.arrivals[taken:]
        taken += len(found)
        return found

    return fresh


def knock(square: Client, arrival: Arrival) -> int:
    """Carry a webhook to Plaza; the status of its answer."""
    return square.post(
        "/webhooks/stripe",
        arrival.body,
        content_type="application/json",
        headers={"Stripe-Signature": arrival.headers["Stripe-Signature"]},
    ).status_code


def work() -> int:
    """Do what the outbox promises of webhooks, as a worker would; how many that were."""
    promised = list(OutboxMessage.objects.filter(task="billing.handle_webhook").order_by("pk"))
    for message in promised:
        handle_webhook(**message.arguments)
        message.delete()
    return len(promised)


@pytest.fixture
def settle(square: Client, arrivals: Callable[[], list[Arrival]]) -> Callable[[], None]:
    """Carry every waiting webhook to Plaza, and let the worker work."""

    def settled() -> None:
        assert {knock(square, arrival) for arrival in arrivals()} <= {200}
        work()

    return settled


def ask(stripe: StripeStandin, path: str, **fields: Any) -> Any:
    """POST to Stripe's own API, beside Plaza."""
    answer = requests.post(
        f"{stripe.url}/v1/{path}", auth=("sk_test_x", ""), timeout=10, data=fields
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def pay(url: str, card: str = VISA) -> str:
    """Press Pay on the provider's page; where the browser is sent."""
    assert requests.get(url, timeout=10).status_code == 200
    paid = requests.post(url, data={"card": card}, timeout=10, allow_redirects=False)
    assert paid.status_code == 303, paid.text
    return paid.headers["Location"]


@pytest.fixture
def paypal(settings: Any, receiver: Receiver) -> Iterator[PayPalStandin]:
    url = f"http://127.0.0.1:{receiver.port}/webhooks/paypal"
    with PayPalStandin(
        validate=True, webhook_url=url, webhook_id=PAYPAL_WEBHOOK_ID, retry_seconds=0.02,
        client_id="us", client_secret=PAYPAL_SECRET,
    ) as running:  # fmt: skip
        settings.STRIPE_API_KEY = ""
        settings.PAYPAL_CLIENT_ID = "us"
        settings.PAYPAL_CLIENT_SECRET = PAYPAL_SECRET
        settings.PAYPAL_API_BASE = running.url
        settings.PAYPAL_WEBHOOK_ID = PAYPAL_WEBHOOK_ID
        yield running
        assert running.violations == []


@pytest.fixture
def paypal_shop(db: None, paypal: PayPalStandin) -> PayPalStandin:
    """The provider, with the prices that these tests buy."""
    account = gateway("paypal")
    for difference in prices.differences(account):
        if (difference.spec.currency, difference.spec.interval) == ("USD", "month"):
            prices.bring(account, difference)
    return paypal


def order(standin: Standin, path: str, /, **asked: Any) -> None:
    answer = requests.post(f"{standin.url}/_standin/{path}", json=asked, timeout=30)
    assert answer.status_code == 200, answer.text
