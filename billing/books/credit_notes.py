"""Take back a part of an invoice, or all that is left of it, under a number of its own."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from uuid import UUID

from django.db import transaction

from billing.books.credits import move_credit
from billing.books.documents import numbered
from billing.books.issuers import issuer_named
from billing.books.journal import Book, Kind
from billing.books.refusals import CreditNoteTooLarge, InvoiceNotOpen
from billing.books.settling import locked_invoice, restate
from billing.books.stamping import promise_stamp
from billing.models import CreditMovement, CreditNote, Invoice, JournalEntry, NumberSequence
from billing.money import Money
from config.ids import new_id
from config.logs import logger

log = logger(__name__)
Status = Invoice.Status


@dataclass(frozen=True, slots=True)
class _Part:
    """What is taken back, in minor units by the position of the invoice's line or tax."""

    lines: dict[int, int]
    taxes: dict[int, int]


@transaction.atomic
def credit_note(
    *,
    invoice_id: UUID,
    reason: str,
    key: str,
    now: datetime,
    amounts: Mapping[int, int] | None = None,
) -> CreditNote:
    """Take back `amounts` (positive minor units before tax, by line), or None for all that is left.

    Each tax goes back in the share of the subtotal, so that all parts together give back exactly all of
    it. First what is due is reduced; the rest is the customer's credit, from which a refund can be made.
    The same `key` again is the same note. Raises CreditNoteTooLarge, InvoiceNotOpen (void, written
    off, or never positive), NotFound.
    """
    invoice, book = locked_invoice(invoice_id, now=now)
    known = CreditNote.objects.filter(tenant_id=invoice.tenant_id, key=key).first()
    if known is not None:
        return known
    if invoice.status in {Status.VOID, Status.UNCOLLECTIBLE} or invoice.total_minor <= 0:
        raise InvoiceNotOpen(status=invoice.status)
    note = _written(invoice, _part(invoice, amounts), reason=reason, key=key, now=now)
    _enter(book, invoice, note)
    invoice.credited_minor += note.reduced_minor
    restate(invoice, now=now)
    told = {"credit_note_id": str(note.pk), "invoice_id": str(invoice.pk)}
    log.info("credit_note.issued", extra=told)
    return note


def _part(invoice: Invoice, amounts: Mapping[int, int] | None) -> _Part:
    earlier = list(invoice.credit_notes.all())
    back = _sum([note.lines for note in earlier])
    left = {line.position: line.amount_minor - back[line.position] for line in invoice.lines.all()}
    lines = {place: amount for place, amount in left.items() if amount}
    if amounts is not None:
        lines = dict(amounts)
        _refuse_more(lines, left)
    before = sum(note.subtotal_minor for note in earlier)
    after = before + sum(lines.values())
    share = Fraction(after, invoice.subtotal_minor) if invoice.subtotal_minor else Fraction(1)
    if not lines or not 0 < share <= 1:
        raise CreditNoteTooLarge(remaining_minor=invoice.subtotal_minor - before)
    given = _sum([note.taxes for note in earlier])
    taxes = {
        tax.position: round(tax.amount_minor * share) - given[tax.position]
        for tax in invoice.taxes.all()
    }
    return _Part(lines, taxes)


def _refuse_more(lines: Mapping[int, int], left: Mapping[int, int]) -> None:
    for place, amount in lines.items():
        if not 0 < amount <= left.get(place, 0):
            raise CreditNoteTooLarge(line=place, remaining_minor=max(0, left.get(place, 0)))


def _sum(parts: list[list[dict[str, int]]]) -> Counter[int]:
    found: Counter[int] = Counter()
    for one in (each for part in parts for each in part):
        found[one["position"]] += one["amount_minor"]
    return found


def _written(invoice: Invoice, part: _Part, *, reason: str, key: str, now: datetime) -> CreditNote:
    subtotal, tax = sum(part.lines.values()), sum(part.taxes.values())
    reduced = min(invoice.amount_due.amount, subtotal + tax)
    note = CreditNote(
        id=new_id(),
        tenant_id=invoice.tenant_id,
        invoice=invoice,
        key=key,
        reason=reason[:500],
        currency=invoice.currency,
        subtotal_minor=subtotal,
        tax_minor=tax,
        total_minor=subtotal + tax,
        reduced_minor=reduced,
        to_credit_minor=subtotal + tax - reduced,
        lines=_told(part.lines),
        taxes=_told(part.taxes),
        seller=invoice.seller,
        buyer=invoice.buyer,
        language=invoice.language,
    )
    series = NumberSequence.Series.CREDIT_NOTE
    for column, value in numbered(issuer_named(invoice.issuer), series, now=now).items():
        setattr(note, column, value)
    note.save(force_insert=True)
    promise_stamp(note, now=now)
    return note


def _told(amounts: Mapping[int, int]) -> list[dict[str, int]]:
    return [{"position": place, "amount_minor": amount} for place, amount in amounts.items()]


def _enter(book: Book, invoice: Invoice, note: CreditNote) -> None:
    currency = note.currency
    to_credit = Money(note.to_credit_minor, currency)
    sides = [
        (Kind.REVENUE, Money(note.subtotal_minor, currency)),
        (Kind.TAX, Money(note.tax_minor, currency)),
        (Kind.RECEIVABLE, -Money(note.reduced_minor, currency)),
        (Kind.CREDIT, -to_credit),
    ]
    book.post(JournalEntry.Kind.CREDIT_NOTE, note.pk, sides, note=note.reason)
    reason = CreditMovement.Reason.CREDIT_NOTE
    move_credit(book, to_credit, reason=reason, key=f"note:{note.pk}", source_id=note.pk)
