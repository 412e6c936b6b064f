"""Money that goes back: ours out of the customer's credit, and what a provider gave back without us."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Sum

from billing.books.credits import move_credit, refuse_overdraft
from billing.books.journal import Book, Kind, Side
from billing.books.payments import cash_of
from billing.books.refusals import RefundTooLarge
from billing.books.retention import kept_until
from billing.books.settling import locked_invoice, restate
from billing.models import CreditMovement, Invoice, JournalEntry, Payment, Refund
from billing.money import Money
from config.errors import NotFound
from config.ids import new_id
from config.logs import logger

log = logger(__name__)
Entry = JournalEntry.Kind
Reason = CreditMovement.Reason
Status = Refund.Status


@transaction.atomic
def refund(
    *,
    payment_id: UUID,
    amount: Money,
    key: str,
    now: datetime,
    credit_note_id: UUID | None = None,
) -> Refund:
    """Promise to send `amount` of a payment back, out of the customer's credit (as of a credit note).

    The provider's part is not done here: `record_refund` says that it was, `fail_refund` that it was
    not. The same `key` again is the same refund. Raises CreditTooSmall, RefundTooLarge, NotFound.
    """
    payment, book = _locked_payment(payment_id, now=now)
    known = Refund.objects.filter(tenant_id=payment.tenant_id, key=key).first()
    if known is not None:
        return known
    _refuse_more(payment, amount)
    refuse_overdraft(book, amount)
    made = _written(payment, amount, key=key, status=Status.PENDING, now=now)
    made.credit_note_id = credit_note_id
    made.save(force_insert=True)
    book.post(Entry.REFUND, made.pk, [(Kind.CREDIT, amount), (Kind.REFUNDS_DUE, -amount)])
    move_credit(book, -amount, reason=Reason.REFUNDED, key=f"refund:{made.pk}", source_id=made.pk)
    return made


@transaction.atomic
def record_refund(
    *,
    payment_id: UUID,
    provider_ref: str,
    amount: Money,
    now: datetime,
    refund_id: UUID | None = None,
) -> Refund:
    """Record what a provider sent back: `refund_id` of ours, or None for what it did without us.

    That (a dispute, its dashboard) makes the invoice due again. The same `provider_ref` is the same
    refund. Raises NotFound.
    """
    payment, book = _locked_payment(payment_id, now=now)
    known = Refund.objects.filter(provider=payment.provider, provider_ref=provider_ref).first()
    if known is not None:
        return known
    if refund_id is not None:
        return _send(payment, book, _pending(refund_id, payment), provider_ref)
    made = _written(
        payment, amount, key=f"{payment.provider}:{provider_ref}", status=Status.SENT, now=now
    )
    made.provider_ref, made.settled_at = provider_ref, now
    _reopen(payment, book, made)
    return made


@transaction.atomic
def fail_refund(*, refund_id: UUID, now: datetime) -> Refund:
    """The provider will not send it: the money is the customer's credit again. Harmless twice."""
    found = Refund.objects.values_list("payment_id", flat=True).filter(pk=refund_id).first()
    if found is None:
        raise NotFound()
    _, book = _locked_payment(found, now=now)
    made = Refund.objects.select_for_update().get(pk=refund_id)
    if made.status == Status.PENDING:
        back = [(Kind.REFUNDS_DUE, made.amount), (Kind.CREDIT, -made.amount)]
        book.post(Entry.REFUND_FAILED, made.pk, back)
        key = f"refund_failed:{made.pk}"
        move_credit(book, made.amount, reason=Reason.REFUND_FAILED, key=key, source_id=made.pk)
        made.status, made.settled_at = Status.FAILED, now
        made.save(update_fields=Refund.SETTLEMENT)
    return made


def _locked_payment(payment_id: UUID, *, now: datetime) -> tuple[Payment, Book]:
    payment = Payment.objects.filter(pk=payment_id).first()
    if payment is None:
        raise NotFound()
    payment.invoice, book = locked_invoice(payment.invoice_id, now=now)
    return payment, book


def _refuse_more(payment: Payment, amount: Money) -> None:
    kept = payment.refunds.exclude(status=Status.FAILED).aggregate(all=Sum("amount_minor"))
    left = Money(payment.amount_minor - (kept["all"] or 0), payment.currency)
    if not amount.amount > 0 or left < amount:
        raise RefundTooLarge(remaining_minor=left.amount, currency=left.currency)


def _written(
    payment: Payment, amount: Money, *, key: str, status: Refund.Status, now: datetime
) -> Refund:
    return Refund(
        id=new_id(),
        tenant_id=payment.tenant_id,
        payment=payment,
        key=key,
        provider=payment.provider,
        currency=amount.currency,
        amount_minor=amount.amount,
        status=status,
        made_at=now,
        kept_until=kept_until(now),
    )


def _pending(refund_id: UUID, payment: Payment) -> Refund:
    found = Refund.objects.select_for_update().filter(pk=refund_id, payment=payment).first()
    if found is None:
        raise NotFound()
    return found


def _send(payment: Payment, book: Book, made: Refund, provider_ref: str) -> Refund:
    if made.status == Status.SENT:
        return made
    # One that had failed was sent after all: it is the customer's credit no more.
    source = Kind.REFUNDS_DUE if made.status == Status.PENDING else Kind.BAD_DEBT
    cash = (cash_of(payment.provider), -made.amount)
    book.post(Entry.REFUND_SENT, made.pk, [(source, made.amount), cash])
    made.status, made.provider_ref, made.settled_at = Status.SENT, provider_ref, book.now
    made.save(update_fields=Refund.SETTLEMENT)
    log.info("refund.sent", extra={"refund_id": str(made.pk)})
    return made


def _reopen(payment: Payment, book: Book, made: Refund) -> None:
    """What was paid is due again; what had become credit is taken from it; the rest is our loss."""
    invoice, amount = payment.invoice, made.amount
    reopened = min(amount, Money(invoice.paid_minor, invoice.currency))
    from_credit = min(amount - reopened, book.credit(amount.currency))
    lost = amount - reopened - from_credit
    made.reopened_minor = reopened.amount
    made.save(force_insert=True)
    is_given_up = invoice.status == Invoice.Status.UNCOLLECTIBLE
    sides: list[Side] = [
        (Kind.BAD_DEBT if is_given_up else Kind.RECEIVABLE, reopened),
        (Kind.CREDIT, from_credit),
        (Kind.BAD_DEBT, lost),
        (cash_of(payment.provider), -amount),
    ]
    book.post(Entry.REFUND_SENT, made.pk, sides)
    move_credit(
        book, -from_credit, reason=Reason.REFUNDED, key=f"refund:{made.pk}", source_id=made.pk
    )
    invoice.paid_minor -= reopened.amount
    if is_given_up:
        invoice.written_off_minor += reopened.amount
    restate(invoice, now=book.now)
    log.info("invoice.reopened", extra={"invoice_id": str(invoice.pk)})
