"""Webhooks: signed, retried, and out of order when a test wants them so."""

from collections.abc import Callable
from typing import Any

import pytest
import stripe

from tests.standin_checks.conftest import API_KEY, WEBHOOK_SECRET
from tests.standin_checks.receiver import Receiver
from tests.standins.stripe import StripeStandin

Control = Callable[..., Any]
Events = Callable[[], list[Any]]


def _customers(client: stripe.StripeClient, count: int) -> list[str]:
    return [client.v1.customers.create({"name": str(n)}).id for n in range(count)]


def _about(events: list[Any]) -> list[str]:
    return [event["data"]["object"]["id"] for event in events]


def test_the_signature_proves_the_body(client: stripe.StripeClient, receiver: Receiver) -> None:
    _customers(client, 1)
    arrival = receiver.wait_for(1)[0]
    header = arrival.headers["Stripe-Signature"]

    event = stripe.Webhook.construct_event(arrival.body, header, WEBHOOK_SECRET)

    assert event.type == "customer.created"
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(arrival.body + b" ", header, WEBHOOK_SECRET)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(arrival.body, header, "whsec_other")


def test_a_refused_webhook_comes_again_until_it_is_taken(
    client: stripe.StripeClient, receiver: Receiver, events: Events
) -> None:
    receiver.failing = 3

    (made,) = _customers(client, 1)

    assert _about(events()) == [made] * 4


def test_a_webhook_not_taken_before_a_stop_goes_out_after_the_next_start(
    tmp_path: Any, receiver: Receiver
) -> None:
    receiver.failing = 1
    address = f"http://plaza.localhost:{receiver.port}/webhooks/stripe"
    with StripeStandin(
        home=tmp_path, webhook_url=address, webhook_secret=WEBHOOK_SECRET, retry_seconds=0.5
    ) as before:
        client = stripe.StripeClient(API_KEY, base_addresses={"api": before.url})
        _customers(client, 1)
        receiver.wait_for(1)
    with StripeStandin(home=tmp_path, webhook_url=address, webhook_secret=WEBHOOK_SECRET) as after:
        assert after.deliveries.settle(timeout_seconds=5)

    assert len(receiver.arrivals) == 2
    assert receiver.arrivals[0].body == receiver.arrivals[1].body


def test_held_webhooks_go_out_reversed_and_twice(
    client: stripe.StripeClient, control: Control, events: Events
) -> None:
    control("webhooks/hold")
    made = _customers(client, 3)

    released = control("webhooks/release", order="reversed", copies=2)

    assert released == {"released": 6}
    assert _about(events()) == [ident for ident in made[::-1] for _ in range(2)]


def test_a_duplicate_and_a_loss_are_injected(
    client: stripe.StripeClient, control: Control, events: Events
) -> None:
    control("faults", kind="duplicate_webhook")
    (twice,) = _customers(client, 1)
    control("faults", kind="lost_webhook")
    _customers(client, 1)

    assert _about(events()) == [twice, twice]
    assert len(client.v1.events.list().data) == 2


def test_an_event_is_sent_once_more_on_order(
    client: stripe.StripeClient, control: Control, events: Events
) -> None:
    _customers(client, 1)
    ident = events()[0]["id"]

    control(f"events/{ident}/redeliver")

    assert [event["id"] for event in events()] == [ident, ident]
    assert client.v1.events.retrieve(ident).type == "customer.created"


def test_an_endpoint_of_ones_own_gets_what_it_asked_for(
    client: stripe.StripeClient, standin: StripeStandin, receiver: Receiver
) -> None:
    endpoint = client.v1.webhook_endpoints.create(
        {"url": f"http://127.0.0.1:{receiver.port}/own", "enabled_events": ["product.created"]}
    )
    _customers(client, 1)
    client.v1.products.create({"name": "Growth"})
    assert standin.deliveries.settle(timeout_seconds=5)

    own = [arrival for arrival in receiver.arrivals if arrival.path == "/own"]

    assert len(own) == 1
    assert endpoint.secret is not None
    event = stripe.Webhook.construct_event(
        own[0].body, own[0].headers["Stripe-Signature"], endpoint.secret
    )
    assert event.type == "product.created"


def test_nothing_is_posted_outside_this_machine(
    client: stripe.StripeClient, standin: StripeStandin
) -> None:
    client.v1.webhook_endpoints.create(
        {"url": "http://192.0.2.1/hook", "enabled_events": ["product.created"]}
    )
    standin.deliveries._retry_seconds = 0.0
    client.v1.products.create({"name": "Growth"})
    assert standin.deliveries.settle(timeout_seconds=5)

    failed = standin.store.find("delivery", lambda one: one["status"] == "failed")

    assert [set(one["answers"]) for one in failed] == [
        {"NotLoopback: http://192.0.2.1/hook is not on this machine"}
    ]
