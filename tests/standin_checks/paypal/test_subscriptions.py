"""Subscriptions as the buyer and the merchant make, change and end them."""

from collections.abc import Callable
from typing import Any

import paypalrestsdk
import pytest
from paypalrestsdk.exceptions import ResourceInvalid

from tests.standin_checks.paypal.buyer import (
    BACK,
    CONTEXT,
    SUBSCRIPTIONS,
    click,
    day,
    kinds,
    link,
    paid,
    shown,
    subscribe,
)
from tests.standin_checks.receiver import Receiver
from tests.standins.paypal import PayPalStandin

Control = Callable[..., Any]


def test_a_buyer_approves_and_the_first_month_is_paid(
    api: paypalrestsdk.Api, plan: Any, standin: PayPalStandin, receiver: Receiver
) -> None:
    asked = api.post(
        SUBSCRIPTIONS,
        {
            "plan_id": plan("99.00"),
            "custom_id": "tenant-1",
            "quantity": "3",
            "application_context": CONTEXT,
        },
    )
    before = shown(api, asked["id"])

    answer = click(link(asked, "approve"), do="agree")

    after = shown(api, asked["id"])
    assert answer.headers["Location"].startswith(f"{BACK}?subscription_id={asked['id']}&ba_token=")
    assert (before["status"], after["status"]) == ("APPROVAL_PENDING", "ACTIVE")
    assert after["custom_id"] == "tenant-1"
    assert after["billing_info"]["last_payment"]["amount"]["value"] == "297.00"
    assert paid(api, asked["id"]) == [("COMPLETED", "297.00")]
    assert kinds(standin, receiver)[-3:] == [
        "BILLING.SUBSCRIPTION.CREATED",
        "BILLING.SUBSCRIPTION.ACTIVATED",
        "PAYMENT.SALE.COMPLETED",
    ]


def test_a_buyer_who_goes_back_leaves_it_pending(api: paypalrestsdk.Api, plan: Any) -> None:
    asked = api.post(SUBSCRIPTIONS, {"plan_id": plan("10"), "application_context": CONTEXT})

    answer = click(link(asked, "approve"), do="cancel")

    assert answer.headers["Location"].startswith(f"{BACK}?gave=up&subscription_id=")
    assert shown(api, asked["id"])["status"] == "APPROVAL_PENDING"


def test_with_continue_the_merchant_starts_it(api: paypalrestsdk.Api, plan: Any) -> None:
    context = {**CONTEXT, "user_action": "CONTINUE"}
    asked = api.post(SUBSCRIPTIONS, {"plan_id": plan("10"), "application_context": context})
    click(link(asked, "approve"), do="agree")
    approved = shown(api, asked["id"])["status"]

    api.post(f"{SUBSCRIPTIONS}/{asked['id']}/activate", {})

    assert (approved, shown(api, asked["id"])["status"]) == ("APPROVED", "ACTIVE")


def test_a_revision_waits_for_the_buyer_and_holds_from_the_next_billing(
    api: paypalrestsdk.Api, plan: Any, january: int, control: Control
) -> None:
    ident = subscribe(api, plan("10"), quantity="2")
    other = plan("50")

    answer = api.post(
        f"{SUBSCRIPTIONS}/{ident}/revise",
        {"plan_id": other, "quantity": "5", "application_context": CONTEXT},
    )
    waiting = shown(api, ident)
    agreed = click(link(answer, "approve"), do="agree")
    after = shown(api, ident)
    control("clock", now=day(2, 28))

    assert (waiting["quantity"], waiting["plan_id"] == other) == ("2", False)
    assert agreed.headers["Location"].startswith(BACK)
    assert (after["quantity"], after["plan_id"]) == ("5", other)
    assert paid(api, ident) == [("COMPLETED", "20.00"), ("COMPLETED", "250.00")]


def test_a_revision_declined_changes_nothing(api: paypalrestsdk.Api, plan: Any) -> None:
    ident = subscribe(api, plan("10"), quantity="2")
    answer = api.post(
        f"{SUBSCRIPTIONS}/{ident}/revise", {"quantity": "9", "application_context": CONTEXT}
    )

    click(link(answer, "approve"), do="cancel")

    assert shown(api, ident)["quantity"] == "2"


def test_suspended_means_no_billing_and_cancelled_means_never_again(
    api: paypalrestsdk.Api, plan: Any, january: int, control: Control
) -> None:
    ident = subscribe(api, plan("10"))
    api.post(f"{SUBSCRIPTIONS}/{ident}/suspend", {"reason": "asked for"})
    control("clock", now=day(3, 15))
    api.post(f"{SUBSCRIPTIONS}/{ident}/activate", {"reason": "asked for"})
    control("clock", now=day(3, 31))
    billed = paid(api, ident)
    api.post(f"{SUBSCRIPTIONS}/{ident}/cancel", {"reason": "asked for"})
    control("clock", now=day(6, 30))

    assert billed == paid(api, ident) == [("COMPLETED", "10.00")] * 2
    with pytest.raises(ResourceInvalid):
        api.post(f"{SUBSCRIPTIONS}/{ident}/suspend", {"reason": "too late"})


def test_plans_are_listed_switched_off_and_on(api: paypalrestsdk.Api, plan: Any) -> None:
    plan_id = plan("10")
    api.post(f"v1/billing/plans/{plan_id}/deactivate", {})
    with pytest.raises(ResourceInvalid):
        api.post(SUBSCRIPTIONS, {"plan_id": plan_id})
    api.post(f"v1/billing/plans/{plan_id}/activate", {})
    listed = api.get("v1/billing/plans?page_size=20&total_required=true")

    assert (listed["total_items"], listed["plans"][0]["status"]) == (1, "ACTIVE")
    assert len(api.get("v1/catalogs/products")["products"]) == 1
