"""Issue a draft: a number, a snapshot, an entry, and the customer's credit set off against it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from billing.books.credits import move_credit
from billing.books.documents import numbered, parties_of
from billing.books.journal import Book, Kind, open_book
from billing.books.retention import kept_until
from billing.books.stamping import promise_stamp
from billing.models import (
    CreditMovement,
    Invoice,
    InvoiceLine,
    InvoiceTax,
    JournalEntry,
    NumberSequence,
)
from billing.money import Money
from billing.rating.lines import Draft
from config.ids import new_id
from config.logs import logger

log = logger(__name__)
Reason = CreditMovement.Reason
Series = NumberSequence.Series


@transaction.atomic
def issue(
    *,
    tenant_id: UUID,
    draft: Draft,
    kind: Invoice.Kind,
    key: str,
    now: datetime,
    facts: Mapping[str, Any] | None = None,
) -> Invoice:
    """The invoice of this draft, to be paid at once; the same `key` again is the same invoice.

    A negative total becomes the customer's credit, and credit that the customer has is set off.
    `facts` are kept on it as they are (the subscription, the period). Raises Tenant.DoesNotExist.
    """
    book = open_book(tenant_id=tenant_id, currencies=[draft.currency], now=now)
    known = Invoice.objects.filter(tenant_id=tenant_id, key=key).first()
    if known is not None:
        return known
    parties = parties_of(tenant_id)
    applied = _applied(draft.total, book.credit(draft.currency))
    is_paid = applied == draft.total
    invoice = Invoice(
        id=new_id(),
        tenant_id=tenant_id,
        key=key,
        kind=kind,
        currency=draft.currency,
        subtotal_minor=draft.subtotal.amount,
        tax_minor=draft.tax.amount,
        total_minor=draft.total.amount,
        applied_minor=applied.amount,
        status=Invoice.Status.PAID if is_paid else Invoice.Status.OPEN,
        settled_at=now if is_paid else None,
        due_at=now,
        facts=dict(facts or {}),
        **parties.facts(),
    )
    _write_parts(invoice, draft, kept_until(now))
    _enter(book, invoice, draft, applied)
    # The number last, so that nobody who issues waits for more than one insert.
    for column, value in numbered(parties.issuer, Series.INVOICE, now=now).items():
        setattr(invoice, column, value)
    invoice.save(force_insert=True)
    promise_stamp(invoice, now=now)
    told = {"invoice_id": str(invoice.pk), "tenant_id": str(tenant_id)}
    log.info("invoice.issued", extra=told)
    return invoice


def _applied(total: Money, credit: Money) -> Money:
    """What of the customer's credit goes on it; a negative total goes to the credit."""
    return total if total.amount < 0 else min(total, credit)


def _enter(book: Book, invoice: Invoice, draft: Draft, applied: Money) -> None:
    sides = [
        (Kind.RECEIVABLE, draft.total - applied),
        (Kind.CREDIT, applied),
        (Kind.REVENUE, -draft.subtotal),
        (Kind.TAX, -draft.tax),
    ]
    book.post(JournalEntry.Kind.ISSUE, invoice.pk, sides)
    reason = Reason.APPLIED if applied.amount > 0 else Reason.NEGATIVE_INVOICE
    move_credit(book, -applied, reason=reason, key=f"issue:{invoice.pk}", source_id=invoice.pk)


def _write_parts(invoice: Invoice, draft: Draft, until: datetime) -> None:
    """Before their invoice: to one that stands nothing is added."""
    kept = {"tenant_id": invoice.tenant_id, "invoice_id": invoice.pk, "kept_until": until}
    InvoiceLine.objects.bulk_create(
        InvoiceLine(
            **kept,
            position=position,
            kind=line.kind,
            subject=line.subject,
            quantity=line.quantity,
            amount_minor=line.amount.amount,
            starts_at=line.starts_at,
            ends_at=line.ends_at,
            facts=dict(line.facts),
        )
        for position, line in enumerate(draft.lines, start=1)
    )
    InvoiceTax.objects.bulk_create(
        InvoiceTax(
            **kept,
            position=position,
            tax=tax.key,
            country=tax.country,
            rate_millionths=tax.rate_millionths,
            base_minor=tax.base.amount,
            amount_minor=tax.amount.amount,
        )
        for position, tax in enumerate(draft.taxes, start=1)
    )
