"""How the billing tests look at what was billed."""

from datetime import UTC, datetime

import stripe


def at(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp())


def periods(client: stripe.StripeClient, ident: str) -> tuple[int, int]:
    item = client.v1.subscriptions.retrieve(ident).items.data[0]
    return item.current_period_start, item.current_period_end


def billed(client: stripe.StripeClient, customer: str) -> list[tuple[str, int, str]]:
    found = client.v1.invoices.list({"customer": customer, "limit": 100}).data[::-1]
    return [(str(one.billing_reason), one.total, str(one.status)) for one in found]


def failing_card(client: stripe.StripeClient, customer: str) -> None:
    bad = client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer})
    client.v1.customers.update(customer, {"invoice_settings": {"default_payment_method": bad.id}})
