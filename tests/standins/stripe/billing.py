"""Invoices by themselves: drafted, finalized, charged, paid, voided."""

from collections.abc import Callable

from tests.standins.store import Json
from tests.standins.stripe import customers, lines, payments
from tests.standins.stripe.account import Account
from tests.standins.stripe.errors import StripeError, invalid
from tests.standins.stripe.objects import fresh

OPEN_AFTER_SECONDS = 3600  # a renewal's draft may be changed for an hour


def draft(
    account: Account, customer: Json, *, currency: str, reason: str, period: Json, **values: object
) -> Json:
    """A draft without lines, already written; the caller adds lines and says `created`."""
    invoice = fresh(
        "invoice",
        account_country="US",
        amount_overpaid=0,
        auto_advance=False,
        billing_reason=reason,
        created=account.now,
        currency=currency,
        customer=customer["id"],
        customer_address=customer["address"],
        customer_email=customer["email"],
        customer_name=customer["name"],
        customer_phone=customer["phone"],
        customer_shipping=customer["shipping"],
        customer_tax_exempt=customer["tax_exempt"],
        period_start=period["start"],
        period_end=period["end"],
    )
    invoice["lines"]["url"] = f"/v1/invoices/{invoice['id']}/lines"
    set_lines(invoice, [])
    return account.save(invoice | values)


def of_subscription(subscription: Json) -> Json:
    """What an invoice takes over from its subscription."""
    return {
        "collection_method": subscription["collection_method"],
        "parent": {
            "quote_details": None,
            "subscription_details": {
                "metadata": subscription["metadata"],
                "subscription": subscription["id"],
            },
            "type": "subscription_details",
        },
    }


def subscription_id(invoice: Json) -> str | None:
    details = (invoice["parent"] or {}).get("subscription_details") or {}
    return details.get("subscription")


def set_lines(invoice: Json, data: list[Json]) -> None:
    """Put the lines in, and count anew."""
    for line in data:
        line["invoice"] = invoice["id"]
    invoice["lines"]["data"] = data
    subtotal = sum(line["amount"] for line in data)
    invoice |= {
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal,
        "total": subtotal,
        "total_excluding_tax": subtotal,
    }
    _set_due(invoice, max(subtotal, 0))


def _set_due(invoice: Json, due: int) -> None:
    invoice |= {"amount_due": due, "amount_remaining": due - invoice["amount_paid"]}


def take_pending(account: Account, invoice: Json, wanted: Callable[[Json], bool]) -> list[Json]:
    """The customer's waiting items that are `wanted`, as lines; they belong to the invoice now."""
    waiting = account.find(
        "invoiceitem",
        lambda item: (
            item["invoice"] is None
            and item["customer"] == invoice["customer"]
            and item["currency"] == invoice["currency"]
            and wanted(item)
        ),
    )
    for item in waiting:
        account.save(item | {"invoice": invoice["id"]})
    return [lines.of_invoice_item(item) for item in waiting]


def require(invoice: Json, *statuses: str, code: str = "invoice_not_editable") -> None:
    if invoice["status"] not in statuses:
        raise invalid(
            f"This invoice is {invoice['status']}; it must be {' or '.join(statuses)}.", code=code
        )


def finalize(account: Account, invoice: Json) -> Json:
    """Number it, take the customer's credit into account, and settle it when nothing is due."""
    require(invoice, "draft")
    customer = account.get("customer", invoice["customer"])
    number = customer["next_invoice_sequence"]
    account.save(customer | {"next_invoice_sequence": number + 1})
    invoice |= {
        "automatically_finalizes_at": None,
        "effective_at": account.now,
        "hosted_invoice_url": f"{account.url}/i/{invoice['id']}",
        "number": f"{customer['invoice_prefix']}-{number:04d}",
        "starting_balance": customer["balance"],
        "status": "open",
        "webhooks_delivered_at": account.now,
    }
    invoice["status_transitions"]["finalized_at"] = account.now
    _apply_balance(account, invoice)
    account.change(invoice, "invoice.finalized")
    if invoice["amount_due"] == 0:
        return mark_paid(account, invoice)
    _open_payment(account, invoice)
    return invoice


def _apply_balance(account: Account, invoice: Json) -> None:
    customer = account.get("customer", invoice["customer"])
    balance, total = customer["balance"], invoice["total"]
    due = max(total + balance, 0)
    used = due - total  # below zero credit was used up, above zero a debt was added
    if used:
        customers.move_balance(
            account,
            customer,
            amount=-used,
            currency=invoice["currency"],
            invoice=invoice["id"],
            type="applied_to_invoice",
        )
    invoice["ending_balance"] = balance - used
    _set_due(invoice, due)


def _open_payment(account: Account, invoice: Json) -> None:
    intent = payments.intend(
        account,
        amount=invoice["amount_due"],
        currency=invoice["currency"],
        customer=invoice["customer"],
        description=f"Invoice {invoice['number']}",
    )
    payment = fresh(
        "invoice_payment",
        amount_requested=invoice["amount_due"],
        created=account.now,
        currency=invoice["currency"],
        invoice=invoice["id"],
        is_default=True,
        payment={"payment_intent": intent["id"], "type": "payment_intent"},
        status="open",
    )
    account.save(payment)
    # Found again by its invoice, not by looking through all payments.
    account.store.put("payment_of_invoice", invoice["id"], {"payment": payment["id"]})


def payment_of(account: Account, invoice: Json) -> Json | None:
    kept = account.store.get("payment_of_invoice", invoice["id"])
    return None if kept is None else account.get("invoice_payment", kept["payment"])


def charge(account: Account, invoice: Json, method: Json | None) -> StripeError | None:
    """Try once to collect; a decline (or the lack of a card) is recorded and returned."""
    payment = payment_of(account, invoice)
    assert payment is not None, "an open invoice has a payment"
    intent = account.get("payment_intent", payment["payment"]["payment_intent"])
    if method is None:
        refusal: StripeError | None = invalid(
            "There is no `default_payment_method` set on this Customer or Invoice. Please set "
            "`default_payment_method` on the Customer or Invoice and try again."
        )
    else:
        refusal = payments.attempt(account, intent, method)
    invoice |= {"attempt_count": invoice["attempt_count"] + 1, "attempted": True}
    if refusal is None:
        mark_paid(account, invoice)
    else:
        account.change(invoice, "invoice.payment_failed")
    return refusal


def mark_paid(account: Account, invoice: Json, *, out_of_band: bool = False) -> Json:
    payment = payment_of(account, invoice)
    if payment is not None and not out_of_band:
        payment |= {"amount_paid": invoice["amount_due"], "status": "paid"}
        payment["status_transitions"]["paid_at"] = account.now
        account.change(payment, "invoice_payment.paid")
    elif payment is not None:
        _cancel_payment(account, payment)
    invoice |= {
        "amount_paid": invoice["amount_due"],
        "amount_remaining": 0,
        "attempted": True,
        "auto_advance": False,
        "next_payment_attempt": None,
        "status": "paid",
    }
    invoice["status_transitions"]["paid_at"] = account.now
    return account.change(invoice, "invoice.paid", "invoice.payment_succeeded")


def _cancel_payment(account: Account, payment: Json) -> None:
    payment["status"] = "canceled"
    payment["status_transitions"]["canceled_at"] = account.now
    account.save(payment)
    intent = account.get("payment_intent", payment["payment"]["payment_intent"])
    intent |= {
        "status": "canceled",
        "canceled_at": account.now,
        "cancellation_reason": "void_invoice",
    }
    account.change(intent, "payment_intent.canceled")


def close(account: Account, invoice: Json, *, status: str) -> Json:
    """void or uncollectible: nothing is collected any more (an uncollectible one may be paid)."""
    require(invoice, "open", "uncollectible", code="invoice_not_open")
    at = {"void": "voided_at", "uncollectible": "marked_uncollectible_at"}[status]
    invoice |= {"auto_advance": False, "next_payment_attempt": None, "status": status}
    invoice["status_transitions"][at] = account.now
    payment = payment_of(account, invoice)
    if status == "void" and payment is not None:
        _cancel_payment(account, payment)
    event = {"void": "invoice.voided", "uncollectible": "invoice.marked_uncollectible"}[status]
    return account.change(invoice, event)
