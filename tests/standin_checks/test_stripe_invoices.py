"""Invoices: charged, in arrears, paid late, refunded, void."""

from collections.abc import Callable
from typing import Any

import pytest
import stripe

from tests.standin_checks.billing_view import at, billed, failing_card

Control = Callable[..., Any]
Events = Callable[[], list[Any]]

DAY = 86_400


def test_arrears_are_retried_then_the_subscription_ends(
    client: stripe.StripeClient,
    price: Any,
    january: int,
    customer: str,
    control: Control,
    events: Events,
) -> None:
    made = client.v1.subscriptions.create({"customer": customer, "items": [{"price": price(1000)}]})
    failing_card(client, customer)
    control("clock", now=at(2026, 2, 28) + 3600)
    overdue = client.v1.subscriptions.retrieve(made.id).status

    control("clock", advance_seconds=15 * DAY)

    failures = [one for one in events() if one["type"] == "invoice.payment_failed"]
    ended = client.v1.subscriptions.retrieve(made.id)
    assert overdue == "past_due"
    assert [one["data"]["object"]["attempt_count"] for one in failures] == [1, 2, 3, 4]
    assert (ended.status, ended.cancellation_details.reason) == (  # type: ignore[union-attr]
        "canceled",
        "payment_failed",
    )


def test_paying_the_open_invoice_ends_the_arrears(
    client: stripe.StripeClient, price: Any, january: int, customer: str, control: Control
) -> None:
    made = client.v1.subscriptions.create({"customer": customer, "items": [{"price": price(1000)}]})
    failing_card(client, customer)
    control("clock", now=at(2026, 2, 28) + 3600)
    invoice = client.v1.invoices.list({"customer": customer}).data[0]

    with pytest.raises(stripe.CardError) as refusal:
        client.v1.invoices.pay(invoice.id)
    good = client.v1.payment_methods.attach("pm_card_mastercard", {"customer": customer})
    paid = client.v1.invoices.pay(invoice.id, {"payment_method": good.id})

    assert (refusal.value.code, refusal.value.http_status) == ("card_declined", 402)
    assert (paid.status, paid.attempt_count) == ("paid", 3)
    assert client.v1.subscriptions.retrieve(made.id).status == "active"
    assert client.v1.customers.retrieve(customer).delinquent is False


def test_a_first_payment_that_fails_leaves_an_incomplete_subscription_for_a_day(
    client: stripe.StripeClient, price: Any, january: int, control: Control
) -> None:
    customer = client.v1.customers.create({}).id
    failing_card(client, customer)

    made = client.v1.subscriptions.create({"customer": customer, "items": [{"price": price(1000)}]})
    with pytest.raises(stripe.CardError):
        client.v1.subscriptions.create(
            {
                "customer": customer,
                "items": [{"price": price(1000)}],
                "payment_behavior": "error_if_incomplete",
            }
        )
    control("clock", advance_seconds=DAY)

    assert made.status == "incomplete"
    assert client.v1.subscriptions.retrieve(made.id).status == "incomplete_expired"
    assert billed(client, customer) == [("subscription_create", 1000, "void")]


def test_metered_usage_is_billed_once_after_its_period(
    client: stripe.StripeClient, price: Any, january: int, customer: str, control: Control
) -> None:
    meter = client.v1.billing.meters.create(
        {
            "display_name": "API calls",
            "event_name": "api_calls",
            "default_aggregation": {"formula": "sum"},
        }
    )
    metered = price(2, usage_type="metered", meter=meter.id)
    client.v1.subscriptions.create({"customer": customer, "items": [{"price": metered}]})
    event: Any = {
        "event_name": "api_calls",
        "identifier": "row-1",
        "payload": {"stripe_customer_id": customer, "value": "70"},
    }
    client.v1.billing.meter_events.create(event)

    with pytest.raises(stripe.InvalidRequestError, match="already exists with identifier row-1"):
        client.v1.billing.meter_events.create(event)
    event["identifier"] = "row-2"
    client.v1.billing.meter_events.create(event)
    summary = client.v1.billing.meters.event_summaries.list(
        meter.id, {"customer": customer, "start_time": january, "end_time": january + DAY}
    )
    control("clock", now=at(2026, 2, 28) + 3600)

    assert [one.aggregated_value for one in summary.data] == [140]
    assert billed(client, customer) == [
        ("subscription_create", 0, "paid"),
        ("subscription_cycle", 280, "paid"),
    ]


def test_an_invoice_of_ones_own_is_collected_to_the_cent_and_refunded(
    client: stripe.StripeClient, customer: str, events: Events
) -> None:
    invoice = client.v1.invoices.create({"customer": customer, "metadata": {"plaza": "INV-1"}})
    for n in range(12):
        client.v1.invoice_items.create(
            {"customer": customer, "invoice": invoice.id, "currency": "usd", "amount": 100 + n}
        )
    paid = client.v1.invoices.finalize_invoice(invoice.id, {"auto_advance": True})
    full = client.v1.invoices.retrieve(invoice.id, {"expand": ["payments"]})
    every_line = list(client.v1.invoices.line_items.list(invoice.id, {"limit": 100}).data)
    assert full.payments is not None
    intent = full.payments.data[0].payment.payment_intent
    refund = client.v1.refunds.create({"payment_intent": str(intent), "amount": 66})

    assert (paid.status, paid.total, paid.amount_paid) == ("paid", 1266, 1266)
    assert (len(paid.lines.data), paid.lines.has_more, len(every_line)) == (10, True, 12)
    assert refund.status == "succeeded"
    charge = client.v1.charges.retrieve(str(refund.charge))
    assert (charge.amount_refunded, charge.refunded) == (66, False)
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
        client.v1.refunds.create({"payment_intent": str(intent), "amount": 1201})
    assert "charge.refunded" in {event["type"] for event in events()}


def test_a_customers_credit_is_used_up_first(client: stripe.StripeClient, customer: str) -> None:
    client.v1.customers.balance_transactions.create(customer, {"amount": -300, "currency": "usd"})
    invoice = client.v1.invoices.create({"customer": customer})
    client.v1.invoice_items.create(
        {"customer": customer, "invoice": invoice.id, "currency": "usd", "amount": 1000}
    )

    final = client.v1.invoices.finalize_invoice(invoice.id)

    assert (final.total, final.amount_due, final.status) == (1000, 700, "open")
    assert client.v1.customers.retrieve(customer).balance == 0


def test_a_void_invoice_and_one_paid_elsewhere_are_closed(
    client: stripe.StripeClient, customer: str
) -> None:
    found = []
    for _ in range(2):
        invoice = client.v1.invoices.create({"customer": customer})
        client.v1.invoice_items.create(
            {"customer": customer, "invoice": invoice.id, "currency": "usd", "amount": 1000}
        )
        found.append(client.v1.invoices.finalize_invoice(invoice.id).id)

    void = client.v1.invoices.void_invoice(found[0])
    elsewhere = client.v1.invoices.pay(found[1], {"paid_out_of_band": True})

    assert (void.status, elsewhere.status) == ("void", "paid")
    assert client.v1.charges.list({"customer": customer}).data == []


def test_an_invoice_that_is_sent_falls_due_and_may_be_paid_late(
    client: stripe.StripeClient,
    price: Any,
    january: int,
    customer: str,
    control: Control,
    events: Events,
) -> None:
    made = client.v1.subscriptions.create(
        {
            "customer": customer,
            "items": [{"price": price(1000)}],
            "collection_method": "send_invoice",
            "days_until_due": 10,
        }
    )
    control("clock", advance_seconds=10 * DAY)
    late = client.v1.subscriptions.retrieve(made.id).status
    client.v1.invoices.pay(str(made.latest_invoice))

    assert (made.status, late) == ("active", "past_due")
    assert client.v1.subscriptions.retrieve(made.id).status == "active"
    assert "invoice.overdue" in {event["type"] for event in events()}


def test_paused_collection_voids_what_it_would_have_billed(
    client: stripe.StripeClient, price: Any, january: int, customer: str, control: Control
) -> None:
    made = client.v1.subscriptions.create({"customer": customer, "items": [{"price": price(1000)}]})
    client.v1.subscriptions.update(made.id, {"pause_collection": {"behavior": "void"}})
    control("clock", now=at(2026, 2, 28) + 3600)
    client.v1.subscriptions.update(made.id, {"pause_collection": ""})
    control("clock", now=at(2026, 3, 31) + 3600)

    assert [status for _, _, status in billed(client, customer)] == ["paid", "void", "paid"]
