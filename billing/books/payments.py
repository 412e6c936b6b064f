"""What a collector says was paid: always recorded, once, and never lost."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.books.credits import move_credit
from billing.books.journal import Book, Kind, Side
from billing.books.retention import kept_until
from billing.books.settling import locked_invoice, restate
from billing.models import Collector, CreditMovement, Invoice, JournalEntry, Payment
from billing.money import Money
from config.ids import new_id
from config.logs import logger

log = logger(__name__)


@transaction.atomic
def record_payment(
    *,
    invoice_id: UUID,
    provider: str,
    provider_ref: str,
    amount: Money,
    fee: Money,
    now: datetime,
) -> Payment:
    """Record what was paid for an invoice, and what the provider kept of it (`fee`, maybe in another currency).

    The same `provider_ref` again is the same payment. Nothing that was paid is refused: what the
    invoice does not need (it is paid, void, or asked for less) becomes the customer's credit, and what
    was written off is recovered. Raises NotFound, and CurrencyMismatch for another currency than the
    invoice's.
    """
    invoice, book = locked_invoice(invoice_id, now=now, others=[fee.currency])
    known = Payment.objects.filter(provider=provider, provider_ref=provider_ref).first()
    if known is not None:
        return known
    toward, recovered, surplus = _split(invoice, amount)
    payment = Payment(
        id=new_id(),
        tenant_id=invoice.tenant_id,
        invoice=invoice,
        provider=Collector(provider),
        provider_ref=provider_ref,
        currency=amount.currency,
        amount_minor=amount.amount,
        surplus_minor=surplus.amount,
        fee_minor=fee.amount,
        fee_currency=fee.currency,
        received_at=now,
        kept_until=kept_until(now),
    )
    payment.save(force_insert=True)
    sides = [(Kind.RECEIVABLE, -toward), (Kind.BAD_DEBT, -recovered), (Kind.CREDIT, -surplus)]
    _enter(book, payment, sides, fee)
    invoice.paid_minor += (toward + recovered).amount
    invoice.written_off_minor -= recovered.amount
    restate(invoice, now=now)
    told = {"invoice_id": str(invoice.pk), "payment_id": str(payment.pk)}
    log.info("payment.recorded", extra={**told, "surplus": surplus.amount})
    return payment


def _split(invoice: Invoice, amount: Money) -> tuple[Money, Money, Money]:
    """What goes toward the invoice's due, what recovers a debt that was given up, and what is beyond both."""
    toward = min(invoice.amount_due, amount)
    recovered = min(Money(invoice.written_off_minor, invoice.currency), amount - toward)
    return toward, recovered, amount - toward - recovered


def _enter(book: Book, payment: Payment, sides: list[Side], fee: Money) -> None:
    cash = cash_of(payment.provider)
    came = [(cash, payment.amount), (cash, -fee), (Kind.FEES, fee)]
    book.post(JournalEntry.Kind.PAYMENT, payment.pk, [*came, *sides])
    move_credit(
        book,
        Money(payment.surplus_minor, payment.currency),
        reason=CreditMovement.Reason.OVERPAID,
        key=f"payment:{payment.pk}",
        source_id=payment.pk,
    )


def cash_of(provider: str) -> Kind:
    """The account of the money that lies with a collector."""
    return Kind(f"cash_{provider}")
