"""Send money back through the provider that took it."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing import books, providers
from billing.models import ProviderCommand, Refund
from billing.money import Money
from billing.providers.base import ProviderRefused
from billing.services import commands, transactions
from config.logs import logger

log = logger(__name__)
# What a provider answers where it will never send the money: the customer has it as credit again.
_NEVER = frozenset(
    {
        *("charge_already_refunded", "charge_disputed", "resource_missing"),
        *("CAPTURE_FULLY_REFUNDED", "REFUND_AMOUNT_EXCEEDED", "RESOURCE_NOT_FOUND"),
    }
)


@transaction.atomic
def send_back(
    *, payment_id: UUID, amount: Money, key: str, now: datetime, credit_note_id: UUID | None = None
) -> Refund:
    """Take `amount` of the customer's credit and have it sent back. Raises what `books.refund` raises."""
    made = books.refund(
        payment_id=payment_id, amount=amount, key=key, now=now, credit_note_id=credit_note_id
    )
    if made.status == Refund.Status.PENDING and made.provider in providers.NAMES:
        commands.promise(
            tenant_id=made.tenant_id,
            provider=made.provider,
            kind=ProviderCommand.Kind.REFUND,
            subject_id=made.pk,
            now=now,
        )
    return made


def send(command: ProviderCommand, now: datetime) -> str:
    """One attempt to send the refund of a command; what came of it."""
    made = Refund.objects.select_related("payment").get(pk=command.subject_id)
    if made.status != Refund.Status.PENDING:
        return made.status
    try:
        seen = providers.gateway(command.provider).refund(
            payment_ref=made.payment.provider_ref,
            amount=made.amount,
            refund_id=made.pk,
            key=str(command.pk),
        )
    except ProviderRefused as refusal:
        if refusal.facts["reason"] not in _NEVER:
            raise
        books.fail_refund(refund_id=made.pk, now=now)
        return f"refused {refusal.facts['reason']}"
    transactions.take_over([seen], now=now)
    return "sent"
