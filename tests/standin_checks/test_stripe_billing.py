"""Subscriptions as time passes: renewals, trials, changes, usage."""

from collections.abc import Callable
from typing import Any

import stripe

from tests.standin_checks.billing_view import at, billed, periods

Control = Callable[..., Any]
Events = Callable[[], list[Any]]

DAY = 86_400


def test_periods_clamp_at_month_ends_and_come_back(
    client: stripe.StripeClient, price: Any, january: int, customer: str, control: Control
) -> None:
    made = client.v1.subscriptions.create({"customer": customer, "items": [{"price": price(1000)}]})
    ends = [periods(client, made.id)[1]]
    for _ in range(3):
        control("clock", now=ends[-1])
        ends.append(periods(client, made.id)[1])

    assert ends == [at(2026, 2, 28), at(2026, 3, 31), at(2026, 4, 30), at(2026, 5, 31)]


def test_a_renewal_is_a_draft_for_an_hour_then_paid(
    client: stripe.StripeClient, price: Any, january: int, customer: str, control: Control
) -> None:
    client.v1.subscriptions.create({"customer": customer, "items": [{"price": price(1000)}]})

    control("clock", now=at(2026, 2, 28))
    drafted = billed(client, customer)
    client.v1.invoice_items.create(
        {
            "customer": customer,
            "currency": "usd",
            "amount": 250,
            "description": "Overage",
            "invoice": client.v1.invoices.list({"customer": customer}).data[0].id,
        }
    )
    control("clock", advance_seconds=3600)

    assert drafted[1] == ("subscription_cycle", 1000, "draft")
    assert billed(client, customer) == [
        ("subscription_create", 1000, "paid"),
        ("subscription_cycle", 1250, "paid"),
    ]


def test_two_years_of_renewals_number_their_invoices_without_a_gap(
    client: stripe.StripeClient, price: Any, january: int, customer: str, control: Control
) -> None:
    client.v1.subscriptions.create({"customer": customer, "items": [{"price": price(1000)}]})

    control("clock", now=at(2028, 1, 31) + 3600)

    invoices = client.v1.invoices.list({"customer": customer, "limit": 100}).data[::-1]
    numbers = [int(str(one.number).rpartition("-")[2]) for one in invoices]
    assert numbers == list(range(1, 26))
    assert {one.status for one in invoices} == {"paid"}


def test_a_trial_announces_its_end_and_bills_after_it(
    client: stripe.StripeClient,
    price: Any,
    january: int,
    customer: str,
    control: Control,
    events: Events,
) -> None:
    made = client.v1.subscriptions.create(
        {"customer": customer, "items": [{"price": price(1000)}], "trial_period_days": 14}
    )
    control("clock", advance_seconds=11 * DAY)
    announced = [event["type"] for event in events()][-1]
    control("clock", advance_seconds=3 * DAY + 3600)

    after = client.v1.subscriptions.retrieve(made.id)
    assert (made.status, after.status) == ("trialing", "active")
    assert announced == "customer.subscription.trial_will_end"
    assert billed(client, customer) == [
        ("subscription_create", 0, "paid"),
        ("subscription_cycle", 1000, "paid"),
    ]
    assert periods(client, made.id) == (january + 14 * DAY, at(2026, 3, 14))


def test_an_upgrade_in_mid_period_is_prorated_to_the_second_as_previewed(
    client: stripe.StripeClient, price: Any, january: int, customer: str, control: Control
) -> None:
    control("clock", now=at(2026, 4, 1))
    made = client.v1.subscriptions.create({"customer": customer, "items": [{"price": price(3000)}]})
    control("clock", advance_seconds=10 * DAY)
    item: Any = {"id": made.items.data[0].id, "price": price(9000), "quantity": 2}

    preview = client.v1.invoices.create_preview(
        {
            "subscription": made.id,
            "subscription_details": {"items": [item], "proration_behavior": "always_invoice"},
        }
    )
    before = client.v1.subscriptions.retrieve(made.id)
    after = client.v1.subscriptions.update(
        made.id,
        {"items": [item], "proration_behavior": "always_invoice", "expand": ["latest_invoice"]},
    )

    assert before.items.data[0].quantity == 1
    assert [line.amount for line in preview.lines.data] == [-2000, 12000]
    assert isinstance(after.latest_invoice, stripe.Invoice)
    assert [line.amount for line in after.latest_invoice.lines.data] == [-2000, 12000]
    assert (after.latest_invoice.status, preview.amount_due) == ("paid", 10000)
    assert after.items.data[0].quantity == 2


def test_another_price_without_a_quantity_starts_at_one(
    client: stripe.StripeClient, price: Any, customer: str
) -> None:
    made = client.v1.subscriptions.create(
        {"customer": customer, "items": [{"price": price(3000), "quantity": 5}]}
    )

    changed = client.v1.subscriptions.update(
        made.id,
        {
            "items": [{"id": made.items.data[0].id, "price": price(9000)}],
            "proration_behavior": "none",
        },
    )

    assert changed.items.data[0].quantity == 1
    assert client.v1.invoice_items.list({"customer": customer}).data == []


def test_from_month_to_year_a_new_period_begins_and_is_billed_at_once(
    client: stripe.StripeClient, price: Any, january: int, customer: str, control: Control
) -> None:
    control("clock", now=at(2026, 4, 1))
    made = client.v1.subscriptions.create({"customer": customer, "items": [{"price": price(3000)}]})
    control("clock", advance_seconds=15 * DAY)

    client.v1.subscriptions.update(
        made.id, {"items": [{"id": made.items.data[0].id, "price": price(30000, "year")}]}
    )

    assert periods(client, made.id) == (at(2026, 4, 16), at(2027, 4, 16))
    assert billed(client, customer)[-1] == ("subscription_update", 30000 - 1500, "paid")


def test_a_cancellation_at_period_end_ends_then_and_not_before(
    client: stripe.StripeClient,
    price: Any,
    january: int,
    customer: str,
    control: Control,
    events: Events,
) -> None:
    made = client.v1.subscriptions.create({"customer": customer, "items": [{"price": price(1000)}]})
    client.v1.subscriptions.update(made.id, {"cancel_at_period_end": True})
    control("clock", now=at(2026, 2, 28) - 1)
    before = client.v1.subscriptions.retrieve(made.id).status
    control("clock", now=at(2026, 2, 28))

    ended = client.v1.subscriptions.retrieve(made.id)
    assert (before, ended.status, ended.ended_at) == ("active", "canceled", at(2026, 2, 28))
    assert events()[-1]["type"] == "customer.subscription.deleted"
    assert client.v1.subscriptions.list({"customer": customer}).data == []
    assert len(client.v1.subscriptions.list({"customer": customer, "status": "all"}).data) == 1


def test_items_are_added_changed_and_removed_by_their_own_addresses(
    client: stripe.StripeClient, price: Any, customer: str
) -> None:
    made = client.v1.subscriptions.create({"customer": customer, "items": [{"price": price(1000)}]})

    seat = client.v1.subscription_items.create(
        {"subscription": made.id, "price": price(500), "quantity": 3}
    )
    client.v1.subscription_items.update(seat.id, {"quantity": 4, "proration_behavior": "none"})
    counted = client.v1.subscription_items.retrieve(seat.id).quantity
    client.v1.subscription_items.delete(seat.id, {"proration_behavior": "none"})

    left = client.v1.subscriptions.retrieve(made.id).items.data
    assert (counted, len(left)) == (4, 1)
