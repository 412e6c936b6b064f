"""Have an issued invoice collected by its tenant's provider: promised, done by a task, recorded in the books.

Before each attempt the provider is asked what was paid already, at an attempt whose answer was lost too:
only what is then still due is asked for, under the command's own key. So nothing is charged twice.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing import books, providers
from billing.models import Invoice, ProviderCommand, Subscription
from billing.providers.base import ProviderRefused
from billing.providers.bills import Outcome
from billing.providers.gateways import Gateway
from billing.services import commands, overdue, transactions
from billing.services.bills import bill_of, named
from billing.services.entrusting import promise_carry, promise_mirror
from billing.services.tax_ids import tell_tax_id
from config.logs import logger

log = logger(__name__)
Kind = ProviderCommand.Kind
NOTHING_DUE = "nothing_due"


@transaction.atomic
def promise_collection(*, invoice_id: UUID, now: datetime) -> ProviderCommand | None:
    """Have the provider collect what is due of the invoice; None where nothing is, or nobody could.

    Call it in the transaction that issues the invoice, and again for each further attempt: while one
    waits, it is that one. Money that had come before there was an invoice is entered first.
    """
    invoice = Invoice.objects.get(pk=invoice_id)
    transactions.enter(tenant_id=invoice.tenant_id, now=now)
    invoice.refresh_from_db()
    row = Subscription.objects.filter(tenant_id=invoice.tenant_id).first()
    if row is None or not _can_collect(row) or not _is_due(invoice):
        return None
    return commands.promise(
        tenant_id=invoice.tenant_id,
        provider=row.provider,
        kind=Kind.COLLECT,
        subject_id=invoice.pk,
        now=now,
    )


def _can_collect(row: Subscription) -> bool:
    """At Stripe a customer can pay; at PayPal only a subscription that is not over."""
    if row.provider == providers.PAYPAL:
        return bool(row.provider_subscription_id)
    return bool(row.provider and row.provider_customer_id)


def _is_due(invoice: Invoice) -> bool:
    return invoice.status == Invoice.Status.OPEN and invoice.amount_due.amount > 0


@transaction.atomic
def promise_withdrawal(*, invoice_id: UUID, now: datetime) -> ProviderCommand | None:
    """Have the provider ask for it no more: the invoice is void, written off, or was paid elsewhere."""
    invoice = Invoice.objects.get(pk=invoice_id)
    asked = ProviderCommand.objects.filter(kind=Kind.COLLECT, subject_id=invoice.pk)
    latest = asked.order_by("-promised_at").first()
    if latest is None:
        return None
    return commands.promise(
        tenant_id=invoice.tenant_id,
        provider=latest.provider,
        kind=Kind.WITHDRAW,
        subject_id=invoice.pk,
        now=now,
    )


@transaction.atomic
def void(*, invoice_id: UUID, reason: str, now: datetime) -> Invoice:
    """Take an invoice back whole, at its provider too. Raises what `books.void` raises."""
    invoice = books.void(invoice_id=invoice_id, reason=reason, now=now)
    promise_withdrawal(invoice_id=invoice_id, now=now)
    return invoice


def collect(command: ProviderCommand, now: datetime) -> str:
    """One attempt for the invoice of a command; what came of it."""
    gateway = providers.gateway(command.provider)
    if not _is_due(_known_now(command, gateway, now)):
        return NOTHING_DUE
    invoice, row = _facts(command)
    tell_tax_id(gateway, row)
    bill = bill_of(invoice, row)
    found = gateway.collect(bill, key=f"{command.pk}-{bill.total.amount}", now=now)
    transactions.take_over(found.transactions, now=now)
    promise_mirror(invoice_id=invoice.pk, now=now)
    if found.outcome is Outcome.CARRIED:
        promise_carry(tenant_id=invoice.tenant_id, now=now, is_first=True)
    if found.outcome is Outcome.DECLINED:
        declined(tenant_id=invoice.tenant_id, reason=found.reason, now=now)
    told = {"invoice_id": str(invoice.pk), "outcome": found.outcome.value, "reason": found.reason}
    log.info("invoice.collected", extra=told)
    return f"{found.outcome.value} {found.reason}".strip()


def _known_now(command: ProviderCommand, gateway: Gateway, now: datetime) -> Invoice:
    """The invoice once everything is entered that the provider knows of it."""
    invoice, row = _facts(command)
    transactions.take_over(gateway.paid_for(named(invoice, row), now=now), now=now)
    transactions.enter(tenant_id=invoice.tenant_id, now=now)
    invoice.refresh_from_db()
    return invoice


def _facts(command: ProviderCommand) -> tuple[Invoice, Subscription]:
    invoice = Invoice.objects.get(pk=command.subject_id)
    return invoice, Subscription.objects.get(tenant_id=invoice.tenant_id)


def withdraw(command: ProviderCommand, now: datetime) -> str:
    """Ask for the invoice of a command no more."""
    invoice, row = _facts(command)
    gateway = providers.gateway(command.provider)
    try:
        gateway.withdraw(named(invoice, row))
    except ProviderRefused:
        # It was paid in this very moment: then that is what is to be known.
        if not _known_now(command, gateway, now).paid_minor:
            raise
        return "paid"
    promise_carry(tenant_id=invoice.tenant_id, now=now)
    return "withdrawn"


def declined(*, tenant_id: UUID, reason: str, now: datetime) -> None:
    """The provider could not collect: dunning takes it from here."""
    overdue.payment_failed(tenant_id=tenant_id, now=now)
    log.info("payment.declined", extra={"tenant_id": str(tenant_id), "reason": reason})
