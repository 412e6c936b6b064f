"""Lines of invoices, and the invoice items that wait to become lines."""

from tests.standins.store import Json
from tests.standins.stripe.account import Account
from tests.standins.stripe.objects import fresh
from tests.standins.stripe.rating import amount_of


def priced(price: Json) -> Json:
    return {
        "price_details": {"price": price["id"], "product": price["product"]},
        "type": "price_details",
        "unit_amount_decimal": price["unit_amount_decimal"],
    }


def line(*, amount: int, currency: str, description: str | None, **values: object) -> Json:
    return fresh(
        "line_item",
        amount=amount,
        currency=currency,
        description=description,
        subtotal=amount,
        **values,
    )


def _parent(item: Json) -> Json:
    return {
        "invoice_item_details": None,
        "subscription_item_details": {
            "invoice_item": None,
            "proration": False,
            "proration_details": None,
            "subscription": item["subscription"],
            "subscription_item": item["id"],
        },
        "type": "subscription_item_details",
    }


def of_subscription_item(
    account: Account, item: Json, *, period: Json, quantity: int, prefix: str = ""
) -> Json:
    """The line of a whole period; a metered quantity is what was used in it."""
    price = item["price"]
    product = account.get("product", price["product"])
    return line(
        amount=amount_of(price, quantity),
        currency=price["currency"],
        description=f"{prefix}{quantity} × {product['name']}",
        metadata=item["metadata"],
        parent=_parent(item),
        period=period,
        pricing=priced(price),
        quantity=quantity,
        quantity_decimal=str(quantity),
        subscription=item["subscription"],
    )


def of_invoice_item(item: Json) -> Json:
    subscription = subscription_of(item)
    return line(
        amount=item["amount"],
        currency=item["currency"],
        description=item["description"],
        discountable=item["discountable"],
        metadata=item["metadata"],
        parent={
            "invoice_item_details": {
                "invoice_item": item["id"],
                "proration": item["proration"],
                "proration_details": {"credited_items": None} if item["proration"] else None,
                "subscription": subscription,
            },
            "subscription_item_details": None,
            "type": "invoice_item_details",
        },
        period=item["period"],
        pricing=item["pricing"],
        quantity=item["quantity"],
        quantity_decimal=item["quantity_decimal"],
        subscription=subscription,
    )


def free_trial(item: Json, product: Json, *, period: Json) -> Json:
    return line(
        amount=0,
        currency=item["price"]["currency"],
        description=f"Trial period for {product['name']}",
        parent=_parent(item),
        period=period,
        pricing=priced(item["price"]) | {"unit_amount_decimal": "0"},
        subscription=item["subscription"],
    )


def invoice_item(
    account: Account,
    *,
    customer: str,
    amount: int,
    currency: str,
    description: str | None,
    period: Json,
    **values: object,
) -> Json:
    """An item that waits for an invoice, not yet written. `subscription` may be given."""
    subscription = values.pop("subscription", None)
    return fresh(
        "invoiceitem",
        amount=amount,
        currency=currency,
        customer=customer,
        date=account.now,
        description=description,
        net_amount=amount,
        parent=None
        if subscription is None
        else {
            "subscription_details": {"subscription": subscription},
            "type": "subscription_details",
        },
        period=period,
        quantity_decimal=str(values.get("quantity", 1)),
        **values,
    )


def subscription_of(item: Json) -> str | None:
    """The subscription whose next invoice an item waits for; None for any invoice."""
    details = (item["parent"] or {}).get("subscription_details") or {}
    return details.get("subscription")
