"""Money that moved at a provider, taken over: kept as it was read, and entered in the books once.

The order in which payments, refunds and disputes become known makes no difference to where they end: what
cannot be entered yet (no invoice, or not the payment) waits, and is entered with what it waited for.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing import books
from billing.models import Invoice, Payment, ProviderTransaction, Subscription
from billing.money import Money
from billing.providers.bills import SeenTransaction
from billing.services import overdue
from config.logs import logger

log = logger(__name__)
Kind, Status = ProviderTransaction.Kind, ProviderTransaction.Status


@transaction.atomic
def take_over(seen: Iterable[SeenTransaction], *, now: datetime) -> set[UUID]:
    """Keep and enter what a provider says now; the tenants whose it is. Harmless twice.

    What belongs to no tenant of ours is left alone.
    """
    tenants: set[UUID] = set()
    for one in sorted(seen, key=lambda each: (each.kind != "payment", each.occurred_at, each.ref)):
        tenant_id = _tenant_of(one)
        if tenant_id is not None:
            _keep(one, tenant_id, now)
            tenants.add(tenant_id)
    for tenant_id in sorted(tenants):
        enter(tenant_id=tenant_id, now=now)
    return tenants


def _tenant_of(seen: SeenTransaction) -> UUID | None:
    known = ProviderTransaction.objects.filter(provider=seen.provider)
    for ref in (seen.ref, seen.payment_ref):
        found = known.filter(ref=ref).values_list("tenant_id", flat=True).first()
        if found is not None:
            return found
    rows = Subscription.objects.filter(provider=seen.provider)
    for column, value in (
        ("provider_subscription_id", seen.subscription_id),
        ("provider_customer_id", seen.customer_id),
        ("tenant_id", seen.tenant_id),
    ):
        row = rows.filter(**{column: value}).first() if value else None
        if row is not None:
            return row.tenant_id
    return None


def _keep(seen: SeenTransaction, tenant_id: UUID, now: datetime) -> None:
    fee = seen.fee or Money(0, seen.amount.currency)
    facts = {
        "kind": seen.kind.value,
        "status": seen.status.value,
        "currency": seen.amount.currency,
        "amount_minor": seen.amount.amount,
        "fee_minor": fee.amount,
        "fee_currency": fee.currency,
        "payment_ref": seen.payment_ref,
        "invoice_id": seen.invoice_id,
        "refund_id": seen.refund_id,
        "occurred_at": seen.occurred_at,
        "read_at": now,
    }
    kept, is_new = ProviderTransaction.objects.select_for_update().get_or_create(
        provider=seen.provider, ref=seen.ref, defaults={"tenant_id": tenant_id, **facts}
    )
    if is_new:
        return
    if (kept.status, kept.kind) != (seen.status, seen.kind):
        kept.entered_at = None  # a dispute that was won, a refund that failed after all
    for name, value in facts.items():
        setattr(kept, name, value)
    kept.save()


def waiting(tenant_id: UUID) -> list[ProviderTransaction]:
    """What is not in the books yet, payments first."""
    rows = ProviderTransaction.objects.filter(tenant_id=tenant_id, entered_at=None)
    found = rows.select_for_update().order_by("occurred_at", "ref")
    return sorted(found, key=lambda row: row.kind != Kind.PAYMENT)


@transaction.atomic
def enter(*, tenant_id: UUID, now: datetime) -> int:
    """Enter what can be entered, then set credit off against what is open; how many entries."""
    entered = 0
    for row in waiting(tenant_id):
        if _ENTRIES[row.kind](row, now):
            row.entered_at = now
            row.save(update_fields=["entered_at", "payment_id"])
            entered += 1
    if entered:
        open_ones = Invoice.objects.filter(tenant_id=tenant_id, status=Invoice.Status.OPEN)
        for invoice_id in list(open_ones.order_by("issued_at", "id").values_list("pk", flat=True)):
            books.apply_credit(invoice_id=invoice_id, now=now)
        overdue.recover(tenant_id=tenant_id, now=now)
    return entered


def _enter_payment(row: ProviderTransaction, now: datetime) -> bool:
    invoice_id = _invoice_for(row)
    if invoice_id is None:
        return False
    payment = books.record_payment(
        invoice_id=invoice_id,
        provider=row.provider,
        provider_ref=row.ref,
        amount=row.amount,
        fee=Money(row.fee_minor, row.fee_currency),
        now=now,
    )
    row.payment_id = payment.pk
    return True


def _invoice_for(row: ProviderTransaction) -> UUID | None:
    """The invoice that the provider named, else the oldest that is open, else the last: its surplus is credit."""
    rows = Invoice.objects.filter(tenant_id=row.tenant_id, currency=row.currency)
    if row.invoice_id and rows.filter(pk=row.invoice_id).exists():
        return row.invoice_id
    oldest = rows.filter(status=Invoice.Status.OPEN).order_by("issued_at", "id")
    latest = rows.exclude(status=Invoice.Status.VOID).order_by("-issued_at", "-id")
    found = oldest.first() or latest.first()
    return found.pk if found else None


def _enter_refund(row: ProviderTransaction, now: datetime) -> bool:
    if row.status == Status.FAILED:
        if row.refund_id:
            books.fail_refund(refund_id=row.refund_id, now=now)
        return True
    payment = _payment_of(row)
    if payment is None:
        return False
    books.record_refund(
        payment_id=payment.pk,
        provider_ref=row.ref,
        amount=row.amount,
        refund_id=_ours(row, payment),
        now=now,
    )
    return True


def _enter_dispute(row: ProviderTransaction, now: datetime) -> bool:
    """The money is away from the beginning; a dispute that is won brings it back as a payment."""
    if row.status == Status.FAILED:
        return True
    payment = _payment_of(row)
    if payment is None:
        return False
    books.record_refund(payment_id=payment.pk, provider_ref=row.ref, amount=row.amount, now=now)
    if row.status == Status.WON:
        books.record_payment(
            invoice_id=payment.invoice_id,
            provider=row.provider,
            provider_ref=f"{row.ref}:won",
            amount=row.amount,
            fee=Money(0, row.currency),
            now=now,
        )
    return True


def _payment_of(row: ProviderTransaction) -> Payment | None:
    known = Payment.objects.filter(provider=row.provider, provider_ref=row.payment_ref)
    return known.first()


def _ours(row: ProviderTransaction, payment: Payment) -> UUID | None:
    is_ours = row.refund_id and payment.refunds.filter(pk=row.refund_id).exists()
    return row.refund_id if is_ours else None


_ENTRIES: dict[str, Callable[[ProviderTransaction, datetime], bool]] = {
    Kind.PAYMENT: _enter_payment,
    Kind.REFUND: _enter_refund,
    Kind.DISPUTE: _enter_dispute,
}
