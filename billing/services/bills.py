"""What a provider is told of an issued invoice: its lines, its taxes, and what was settled before."""

from collections.abc import Iterator
from dataclasses import replace

from django.utils.translation import gettext as _
from django.utils.translation import override

from billing.books.wording import describe, name_tax
from billing.models import Invoice, Subscription
from billing.money import Money
from billing.providers.bills import Bill, BillLine


def bill_of(invoice: Invoice, subscription: Subscription) -> Bill:
    """The bill whose total is the invoice's amount due, in the invoice's own language."""
    with override(invoice.language):
        bill = replace(named(invoice, subscription), lines=tuple(_lines(invoice)))
    if bill.total != invoice.amount_due:
        raise ValueError(f"{invoice.pk}: the lines make {bill.total}, due is {invoice.amount_due}")
    return bill


def named(invoice: Invoice, subscription: Subscription) -> Bill:
    """The bill without its lines: by which a provider finds what it knows of the invoice."""
    return Bill(
        invoice_id=invoice.pk,
        reference=invoice.reference,
        tenant_id=invoice.tenant_id,
        customer_id=subscription.provider_customer_id,
        subscription_id=subscription.provider_subscription_id,
        currency=invoice.currency,
        issued_at=invoice.issued_at,
        lines=(),
    )


def _lines(invoice: Invoice) -> Iterator[BillLine]:
    for line in invoice.lines.order_by("position"):
        yield BillLine(
            text=describe(line),
            amount=Money(line.amount_minor, invoice.currency),
            starts_at=line.starts_at,
            ends_at=line.ends_at,
        )
    at = invoice.issued_at
    for tax in invoice.taxes.order_by("position"):
        if tax.amount_minor:
            yield BillLine(name_tax(tax), Money(tax.amount_minor, invoice.currency), at, at)
    for text, amount in (
        (_("Credit set off"), invoice.applied_minor),
        (_("Paid before"), invoice.paid_minor),
        (_("Taken back by credit note"), invoice.credited_minor),
        (_("Written off"), invoice.written_off_minor),
    ):
        if amount:
            yield BillLine(text, Money(-amount, invoice.currency), at, at)
