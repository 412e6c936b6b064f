"""An invoice under lock, and the state that its amounts make."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from billing.books.journal import Book, open_book
from billing.models import Invoice
from config.errors import NotFound

Status = Invoice.Status


def locked_invoice(
    invoice_id: UUID, *, now: datetime, others: Iterable[str] = ()
) -> tuple[Invoice, Book]:
    """The invoice and its tenant's book (in `others` currencies too), both locked. Raises NotFound."""
    place = Invoice.objects.values_list("tenant_id", "currency").filter(pk=invoice_id).first()
    if place is None:
        raise NotFound()
    book = open_book(tenant_id=place[0], currencies=[place[1], *others], now=now)
    return Invoice.objects.select_for_update().get(pk=invoice_id), book


def restate(invoice: Invoice, *, now: datetime) -> None:
    """Write what settles it, and the status that follows from that."""
    before = invoice.status
    if invoice.status != Status.VOID:
        invoice.status = _status(invoice)
    is_settled = invoice.status != Status.OPEN
    if not is_settled:
        invoice.settled_at = None
    elif before == Status.OPEN or invoice.settled_at is None:
        invoice.settled_at = now
    invoice.save(update_fields=Invoice.SETTLEMENT)


def _status(invoice: Invoice) -> Invoice.Status:
    if invoice.amount_due.amount > 0:
        return Status.OPEN
    return Status.UNCOLLECTIBLE if invoice.written_off_minor else Status.PAID
