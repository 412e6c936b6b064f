"""An invoice that nobody will pay: void where it should not have been, written off where it should."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.books.credits import move_credit
from billing.books.journal import Kind
from billing.books.refusals import InvoiceNotOpen, InvoiceSettled
from billing.books.settling import locked_invoice, restate
from billing.models import CreditMovement, Invoice, JournalEntry
from billing.money import Money
from config.logs import logger

log = logger(__name__)
Status = Invoice.Status


@transaction.atomic
def void(*, invoice_id: UUID, reason: str, now: datetime) -> Invoice:
    """Take an invoice back whole; its number stays, and credit that was set off returns. Harmless twice.

    Raises InvoiceSettled where something was paid, credited, written off or turned into credit.
    """
    invoice, book = locked_invoice(invoice_id, now=now)
    if invoice.status == Status.VOID:
        return invoice
    touched = invoice.paid_minor or invoice.credited_minor or invoice.written_off_minor
    if touched or invoice.total_minor < 0:
        raise InvoiceSettled(status=invoice.status)
    currency = invoice.currency
    applied = Money(invoice.applied_minor, currency)
    sides = [
        (Kind.RECEIVABLE, applied - invoice.total),
        (Kind.CREDIT, -applied),
        (Kind.REVENUE, Money(invoice.subtotal_minor, currency)),
        (Kind.TAX, Money(invoice.tax_minor, currency)),
    ]
    book.post(JournalEntry.Kind.VOID, invoice.pk, sides, note=reason)
    given_back = CreditMovement.Reason.GIVEN_BACK
    move_credit(book, applied, reason=given_back, key=f"void:{invoice.pk}", source_id=invoice.pk)
    invoice.status, invoice.applied_minor = Status.VOID, 0
    restate(invoice, now=now)
    log.info("invoice.voided", extra={"invoice_id": str(invoice.pk)})
    return invoice


@transaction.atomic
def write_off(*, invoice_id: UUID, reason: str, now: datetime) -> Invoice:
    """Give up what is due. A payment that comes after all recovers it. Harmless twice.

    Raises InvoiceNotOpen for one that is paid or void.
    """
    invoice, book = locked_invoice(invoice_id, now=now)
    if invoice.status == Status.UNCOLLECTIBLE:
        return invoice
    if invoice.status != Status.OPEN:
        raise InvoiceNotOpen(status=invoice.status)
    due = invoice.amount_due
    sides = [(Kind.BAD_DEBT, due), (Kind.RECEIVABLE, -due)]
    book.post(JournalEntry.Kind.WRITE_OFF, invoice.pk, sides, note=reason)
    invoice.written_off_minor += due.amount
    restate(invoice, now=now)
    log.info("invoice.written_off", extra={"invoice_id": str(invoice.pk)})
    return invoice
