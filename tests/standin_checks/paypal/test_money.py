"""What is taken month by month, what fails, what is given back."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import paypalrestsdk
import pytest
from paypalrestsdk.exceptions import ResourceInvalid

from tests.standin_checks.paypal.buyer import (
    DAY,
    SUBSCRIPTIONS,
    day,
    kinds,
    paid,
    shown,
    subscribe,
)
from tests.standin_checks.receiver import Receiver
from tests.standins.paypal import PayPalStandin

Control = Callable[..., Any]


def test_trial_then_months_that_clamp_and_come_back(
    api: paypalrestsdk.Api, plan: Any, january: int, control: Control
) -> None:
    ident = subscribe(api, plan("10"))
    trial = subscribe(api, plan("20", trial_days=7))
    dues = []
    for _ in range(3):
        due = shown(api, ident)["billing_info"]["next_billing_time"]
        dues.append(due[:10])
        control("clock", now=int(datetime.fromisoformat(due).timestamp()))

    executions = shown(api, trial)["billing_info"]["cycle_executions"]
    assert dues == ["2026-02-28", "2026-03-31", "2026-04-30"]
    assert paid(api, ident) == [("COMPLETED", "10.00")] * 4
    assert paid(api, trial) == [("COMPLETED", "20.00")] * 3
    assert [one["cycles_completed"] for one in executions] == [1, 3]


def test_failed_payments_are_outstanding_retried_and_suspend_at_the_threshold(
    api: paypalrestsdk.Api,
    plan: Any,
    january: int,
    control: Control,
    standin: PayPalStandin,
    receiver: Receiver,
) -> None:
    ident = subscribe(api, plan("10", threshold=3))
    control("funds", subscription=ident, funds="declined")
    control("clock", now=day(2, 28))
    once = shown(api, ident)
    control("clock", advance_seconds=10 * DAY)
    thrice = shown(api, ident)
    with pytest.raises(ResourceInvalid, match=r"422"):
        api.post(f"{SUBSCRIPTIONS}/{ident}/activate", {"reason": "again"})
    control("funds", subscription=ident, funds="ok")
    taken = api.post(
        f"{SUBSCRIPTIONS}/{ident}/capture",
        {
            "note": "what is owed",
            "capture_type": "OUTSTANDING_BALANCE",
            "amount": {"currency_code": "USD", "value": "10.00"},
        },
    )
    api.post(f"{SUBSCRIPTIONS}/{ident}/activate", {"reason": "paid"})

    after = shown(api, ident)
    assert (once["status"], once["billing_info"]["failed_payments_count"]) == ("ACTIVE", 1)
    assert once["billing_info"]["outstanding_balance"]["value"] == "10.00"
    assert (thrice["status"], thrice["billing_info"]["failed_payments_count"]) == ("SUSPENDED", 3)
    assert (taken["status"], after["status"]) == ("COMPLETED", "ACTIVE")
    assert after["billing_info"]["outstanding_balance"]["value"] == "0.00"
    assert kinds(standin, receiver).count("BILLING.SUBSCRIPTION.PAYMENT.FAILED") == 3


def test_what_is_outstanding_is_taken_with_the_next_month(
    api: paypalrestsdk.Api, plan: Any, january: int, control: Control
) -> None:
    ident = subscribe(api, plan("10"))
    control("funds", subscription=ident, funds="declined")
    control("clock", now=day(3, 25))
    control("funds", subscription=ident, funds="ok")
    control("clock", now=day(3, 31))

    assert paid(api, ident)[-1] == ("COMPLETED", "20.00")
    assert shown(api, ident)["billing_info"]["outstanding_balance"]["value"] == "0.00"


def test_the_outstanding_balance_may_be_forgiven_but_not_raised(
    api: paypalrestsdk.Api, plan: Any, january: int, control: Control
) -> None:
    """PayPal's own description says so (subscriptions.patch, 422)."""
    ident = subscribe(api, plan("10"))
    control("funds", subscription=ident, funds="declined")
    control("clock", now=day(2, 28))

    def replace(value: str) -> Any:
        path = "/billing_info/outstanding_balance"
        money = {"currency_code": "USD", "value": value}
        return api.patch(
            f"{SUBSCRIPTIONS}/{ident}", [{"op": "replace", "path": path, "value": money}]
        )

    with pytest.raises(ResourceInvalid) as refusal:
        replace("10.01")
    replace("4.00")

    assert "AMOUNT_GREATER_THAN_OUTSTANDING_BALANCE" in refusal.value.content
    assert shown(api, ident)["billing_info"]["outstanding_balance"]["value"] == "4.00"


def test_a_new_price_leaves_the_next_ten_days_alone(
    api: paypalrestsdk.Api, plan: Any, january: int, control: Control
) -> None:
    plan_id = plan("10")
    soon, later = subscribe(api, plan_id), subscribe(api, plan_id)
    control("clock", now=day(2, 20))
    price = {"fixed_price": {"value": "30", "currency_code": "USD"}}
    api.post(
        f"v1/billing/plans/{plan_id}/update-pricing-schemes",
        {"pricing_schemes": [{"billing_cycle_sequence": 1, "pricing_scheme": price}]},
    )
    api.patch(
        f"{SUBSCRIPTIONS}/{later}",
        [
            {
                "op": "replace",
                "path": "/plan/billing_cycles/@sequence==1/pricing_scheme/fixed_price",
                "value": {"value": "40", "currency_code": "USD"},
            }
        ],
    )
    control("clock", now=day(3, 31))

    assert [value for _, value in paid(api, soon)] == ["10.00", "10.00", "30.00"]
    # The override came while the plan's new price was in force for the days to come.
    assert [value for _, value in paid(api, later)][-1] == "40.00"


def test_a_payment_is_refunded_in_part_then_wholly(
    api: paypalrestsdk.Api, plan: Any, standin: PayPalStandin, receiver: Receiver
) -> None:
    ident = subscribe(api, plan("10"))
    query = "start_time=2020-01-01T00:00:00Z&end_time=2040-01-01T00:00:00Z"
    capture = api.get(f"{SUBSCRIPTIONS}/{ident}/transactions?{query}")["transactions"][0]["id"]

    part = {"amount": {"value": "4.00", "currency_code": "USD"}}
    api.post(f"v2/payments/captures/{capture}/refund", part)
    partly = api.get(f"v2/payments/captures/{capture}")["status"]
    rest = api.post(f"v2/payments/captures/{capture}/refund", {})
    refund = api.get(f"v2/payments/refunds/{rest['id']}")

    assert (partly, refund["amount"]["value"]) == ("PARTIALLY_REFUNDED", "6.00")
    assert api.get(f"v2/payments/captures/{capture}")["status"] == "REFUNDED"
    assert kinds(standin, receiver)[-2:] == ["PAYMENT.CAPTURE.REFUNDED"] * 2


def test_an_expired_plan_of_finite_cycles_ends(
    api: paypalrestsdk.Api, plan: Any, january: int, control: Control
) -> None:
    product = api.post("v1/catalogs/products", {"name": "Plaza", "type": "SERVICE"})["id"]
    cycle = {
        "frequency": {"interval_unit": "MONTH"},
        "tenure_type": "REGULAR",
        "sequence": 1,
        "total_cycles": 2,
        "pricing_scheme": {"fixed_price": {"value": "10", "currency_code": "EUR"}},
    }
    plan_id = api.post(
        "v1/billing/plans",
        {
            "product_id": product,
            "name": "Two months",
            "billing_cycles": [cycle],
            "payment_preferences": {
                "setup_fee": {"value": "5", "currency_code": "EUR"},
            },
            "taxes": {"percentage": "10", "inclusive": False},
        },
    )["id"]
    ident = subscribe(api, plan_id)
    control("clock", now=day(12, 31))

    assert shown(api, ident)["status"] == "EXPIRED"
    assert [value for _, value in paid(api, ident)] == ["5.00", "11.00", "11.00"]
