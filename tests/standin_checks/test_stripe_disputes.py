"""What Stripe keeps of a charge, and charges that a bank takes back."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
import stripe

from tests.standins.stripe import StripeStandin


@pytest.fixture
def charge(client: stripe.StripeClient, customer: str) -> Any:
    invoice = client.v1.invoices.create({"customer": customer, "currency": "usd"})
    client.v1.invoice_items.create(
        {"customer": customer, "invoice": str(invoice.id), "amount": 1_000, "currency": "usd"}
    )
    client.v1.invoices.pay(str(invoice.id))
    return client.v1.charges.list({"customer": customer}).data[0]


def test_a_fee_is_kept_of_each_charge_and_its_invoice_is_found_by_its_intent(
    client: stripe.StripeClient, charge: Any
) -> None:
    kept = client.v1.charges.retrieve(charge.id, {"expand": ["balance_transaction"]})
    paid = client.v1.invoice_payments.list(
        {"payment": {"type": "payment_intent", "payment_intent": charge.payment_intent}}
    )

    told: Any = kept.balance_transaction
    assert (told.amount, told.fee, told.net, told.source) == (1_000, 59, 941, charge.id)
    assert client.v1.balance_transactions.retrieve(told.id).fee == 59
    assert [one.amount_paid for one in paid.data] == [1_000]


def test_a_bank_takes_a_charge_back_and_decides(
    client: stripe.StripeClient,
    standin: StripeStandin,
    charge: Any,
    control: Callable[..., Any],
    events: Callable[[], list[Any]],
) -> None:
    control("disputes", charge=charge.id, status="needs_response")
    control("disputes", charge=charge.id, status="won")

    (found,) = client.v1.disputes.list({"charge": charge.id}).data
    assert (found.amount, found.status) == (1_000, "won")
    assert client.v1.disputes.retrieve(found.id).charge == charge.id
    assert client.v1.charges.retrieve(charge.id).disputed is True
    told = [one["type"] for one in events() if ".dispute." in one["type"]]
    assert told == ["charge.dispute.created", "charge.dispute.closed"]
    closed = requests.post(
        f"{standin.url}/_standin/disputes",
        json={"charge": charge.id, "status": "lost"},
        timeout=10,
    )
    assert closed.status_code >= 400
