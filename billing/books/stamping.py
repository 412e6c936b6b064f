"""Get documents stamped where the seller's country asks for it: promised with the issue, done by a task."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from billing.books.retention import kept_until
from billing.models import CreditNote, FiscalStamp, Invoice, NumberSequence
from billing.providers.fiscal import FiscalDesk, FiscalDown, FiscalRefused, desk
from config.logs import logger

log = logger(__name__)
Series = NumberSequence.Series
Status = FiscalStamp.Status
_BATCH = 200


def promise_stamp(document: Invoice | CreditNote, *, now: datetime) -> None:
    """In the transaction of the issue; nothing where nobody stamps for the seller's country."""
    found = desk()
    if found is None or document.seller["country"] not in found.countries:
        return
    is_invoice = isinstance(document, Invoice)
    FiscalStamp.objects.create(
        tenant_id=document.tenant_id,
        series=Series.INVOICE if is_invoice else Series.CREDIT_NOTE,
        document_id=document.pk,
        next_attempt_at=now,
        kept_until=kept_until(now),
    )


def stamp_due(*, now: datetime) -> int:
    """Give the desk what is due; how many were stamped. One's trouble is not the others'."""
    found = desk()
    if found is None:
        return 0
    due = FiscalStamp.objects.due(now).order_by("next_attempt_at").values_list("pk", flat=True)
    return sum(_stamp(found, pk, now) for pk in list(due[:_BATCH]))


@transaction.atomic
def _stamp(found: FiscalDesk, pk: UUID, now: datetime) -> bool:
    rows = FiscalStamp.objects.due(now).select_for_update(skip_locked=True)
    row = rows.filter(pk=pk).first()
    if row is None:
        return False
    told = {"stamp_id": str(row.pk), "document_id": str(row.document_id)}
    try:
        stamp = found.stamp(_told(row), key=str(row.pk))
    except FiscalDown as error:
        row.wait(str(error), now=now)
        log.warning("fiscal.waits", extra=told)
        return False
    except FiscalRefused as error:
        row.status, row.error, row.next_attempt_at = Status.REFUSED, str(error)[:500], None
        row.save()
        log.warning("fiscal.refused", extra=told)
        return False
    row.status, row.reference, row.url = Status.STAMPED, stamp.reference, stamp.url
    row.stamped_at, row.next_attempt_at, row.error = now, None, ""
    row.save()
    log.info("fiscal.stamped", extra=told)
    return True


def _told(row: FiscalStamp) -> dict[str, Any]:
    """The document as data: {series, number, issued_at, currency, subtotal_minor, tax_minor, total_minor,
    seller, buyer, lines, taxes}; a credit note's with the number of its `invoice`.
    """
    document: Invoice | CreditNote
    if row.series == Series.INVOICE:
        document = invoice = Invoice.objects.get(pk=row.document_id)
        more: dict[str, Any] = {}
    else:
        document = note = CreditNote.objects.select_related("invoice").get(pk=row.document_id)
        invoice = note.invoice
        more = {
            "invoice": invoice.reference,
            "taken_back": {"lines": note.lines, "taxes": note.taxes},
        }
    amounts = ("currency", "subtotal_minor", "tax_minor", "total_minor", "seller", "buyer")
    lines = ("position", "kind", "subject", "quantity", "amount_minor")
    taxes = ("position", "tax", "country", "rate_millionths", "base_minor", "amount_minor")
    return {
        "series": row.series,
        "number": document.reference,
        "issued_at": document.issued_at.isoformat(),
        **{name: getattr(document, name) for name in amounts},
        "lines": list(invoice.lines.order_by("position").values(*lines)),
        "taxes": list(invoice.taxes.order_by("position").values(*taxes)),
        **more,
    }
