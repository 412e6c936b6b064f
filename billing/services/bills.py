"""What a provider is told of an issued invoice: its lines, its taxes, and what was settled before."""

from collections.abc import Iterator
from dataclasses import replace

from django.utils.translation import gettext as _
from django.utils.translation import override

from billing.models import Invoice, Subscription
from billing.money import Money
from billing.providers.bills import Bill, BillLine

_MILLIONTHS_PER_PERCENT = 10_000


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
            text=_text(line.kind, line.subject, line.quantity),
            amount=Money(line.amount_minor, invoice.currency),
            starts_at=line.starts_at,
            ends_at=line.ends_at,
        )
    at = invoice.issued_at
    for tax in invoice.taxes.order_by("position"):
        percent = f"{tax.rate_millionths / _MILLIONTHS_PER_PERCENT:g} %"
        if tax.amount_minor:
            yield BillLine(
                f"{tax.tax} {percent}", Money(tax.amount_minor, invoice.currency), at, at
            )
    for text, amount in (
        (_("Credit set off"), invoice.applied_minor),
        (_("Paid before"), invoice.paid_minor),
        (_("Taken back by credit note"), invoice.credited_minor),
        (_("Written off"), invoice.written_off_minor),
    ):
        if amount:
            yield BillLine(text, Money(-amount, invoice.currency), at, at)


def _text(kind: str, subject: str, quantity: int) -> str:
    named = subject.replace("_", " ")
    return {
        "plan": _("Plan %(subject)s"),
        "seats": _("Seats: %(quantity)s"),
        "add_on": _("Add-on %(subject)s"),
        "usage": _("Usage of %(subject)s: %(quantity)s"),
        "late_usage": _("Late usage of %(subject)s: %(quantity)s"),
        "minimum": _("Minimum of %(subject)s"),
        "discount": _("Discount %(subject)s"),
    }.get(kind, "%(subject)s") % {"subject": named, "quantity": f"{quantity:,}"}
