"""A tenant's invoices, credit notes and credit, as its own people see them."""

from uuid import UUID

from django.db.models import Prefetch, QuerySet

from billing.models import CreditMovement, CreditNote, Invoice, InvoiceLine, InvoiceTax
from config.errors import NotFound


def invoices_of(tenant_id: UUID) -> QuerySet[Invoice]:
    return Invoice.objects.filter(tenant_id=tenant_id)


def invoice_named(*, tenant_id: UUID, invoice_id: UUID) -> Invoice:
    """With its lines and taxes in their order, its payments and credit notes. Raises NotFound."""
    rows = invoices_of(tenant_id).prefetch_related(
        Prefetch("lines", InvoiceLine.objects.order_by("position")),
        Prefetch("taxes", InvoiceTax.objects.order_by("position")),
        "payments",
        "credit_notes",
    )
    found = rows.filter(pk=invoice_id).first()
    if found is None:
        raise NotFound()
    return found


def credit_note_named(*, tenant_id: UUID, credit_note_id: UUID) -> CreditNote:
    """With its invoice's lines and taxes. Raises NotFound."""
    rows = CreditNote.objects.filter(tenant_id=tenant_id)
    found = rows.prefetch_related("invoice__lines", "invoice__taxes").filter(pk=credit_note_id)
    note = found.first()
    if note is None:
        raise NotFound()
    return note


def movements_of(tenant_id: UUID) -> QuerySet[CreditMovement]:
    return CreditMovement.objects.filter(tenant_id=tenant_id)
