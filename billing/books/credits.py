"""A customer's credit: granted by us, set off against invoices, never below zero."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.books.journal import Book, Kind, open_book
from billing.books.refusals import CreditTooSmall
from billing.books.retention import kept_until
from billing.books.settling import locked_invoice, restate
from billing.models import Account, CreditMovement, Invoice, JournalEntry
from billing.money import Money
from config.ids import new_id

Reason = CreditMovement.Reason


def move_credit(
    book: Book,
    amount: Money,
    *,
    reason: CreditMovement.Reason,
    key: str,
    source_id: UUID,
) -> None:
    """Tell a movement whose entry stands in the same transaction; nothing where the amount is zero."""
    if amount.amount:
        movement = _movement(book, amount, reason=reason, key=key)
        movement.source_id = source_id
        movement.save(force_insert=True)


def _movement(
    book: Book, amount: Money, *, reason: CreditMovement.Reason, key: str
) -> CreditMovement:
    return CreditMovement(
        id=new_id(),
        tenant_id=book.tenant_id,
        key=key,
        reason=reason,
        currency=amount.currency,
        amount_minor=amount.amount,
        made_at=book.now,
        kept_until=kept_until(book.now),
    )


def balances(tenant_id: UUID) -> list[Money]:
    """What the customer has to its credit, for each currency in which it has any."""
    rows = Account.objects.filter(tenant_id=tenant_id, kind=Kind.CREDIT, balance_minor__lt=0)
    return [Money(-row.balance_minor, row.currency) for row in rows.order_by("currency")]


@transaction.atomic
def grant_credit(
    *, tenant_id: UUID, amount: Money, note: str, by: str, key: str, now: datetime
) -> CreditMovement:
    """Give (positive) or take back (negative) credit, at our cost; the same `key` again is the same grant.

    `by` says who did it. Raises CreditTooSmall where there is less to take back, ValueError for zero.
    """
    if not amount.amount:
        raise ValueError("A grant of nothing.")
    book = open_book(tenant_id=tenant_id, currencies=[amount.currency], now=now)
    known = CreditMovement.objects.filter(tenant_id=tenant_id, key=f"grant:{key}").first()
    if known is not None:
        return known
    refuse_overdraft(book, -amount)
    made = _movement(book, amount, reason=Reason.GRANTED, key=f"grant:{key}")
    made.note, made.made_by = note[:500], by
    made.save(force_insert=True)
    sides = [(Kind.PROMOTIONS, amount), (Kind.CREDIT, -amount)]
    book.post(JournalEntry.Kind.CREDIT, made.pk, sides, note=note)
    return made


def refuse_overdraft(book: Book, taken: Money) -> None:
    """Raise CreditTooSmall where the customer has less than is taken."""
    available = book.credit(taken.currency)
    if available < taken:
        raise CreditTooSmall(available_minor=available.amount, currency=taken.currency)


@transaction.atomic
def apply_credit(*, invoice_id: UUID, now: datetime) -> Invoice:
    """Set the customer's credit off against an open invoice, as far as both reach. Harmless twice."""
    invoice, book = locked_invoice(invoice_id, now=now)
    applied = min(invoice.amount_due, book.credit(invoice.currency))
    if applied.amount > 0:
        source = new_id()
        sides = [(Kind.CREDIT, applied), (Kind.RECEIVABLE, -applied)]
        book.post(JournalEntry.Kind.CREDIT, source, sides)
        key = f"apply:{source}"
        move_credit(book, -applied, reason=Reason.APPLIED, key=key, source_id=invoice.pk)
        invoice.applied_minor += applied.amount
        restate(invoice, now=now)
    return invoice
