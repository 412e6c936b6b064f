"""Invoices of four lines and a tax, and the commands that bring them to a provider."""

from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

from billing import books
from billing.models import Invoice, ProviderCommand
from billing.money import Money, total
from billing.rating.lines import Draft, Line, LineKind, Tax
from billing.services import collecting, running
from config.models import OutboxMessage

_MONTH = timedelta(days=30)


def line(
    kind: LineKind, subject: str, quantity: int, amount: int, at: datetime, **facts: Any
) -> Line:
    return Line(kind, subject, quantity, Money(amount, "USD"), at, at + _MONTH, facts)


def draft(at: datetime, *, usage: int = 12_345) -> Draft:
    """A plan, three seats, metered use whose cents are odd, a discount, and 16 % on all of it."""
    lines = (
        line(LineKind.PLAN, "growth", 1, 9_900, at),
        line(LineKind.SEATS, "growth", 3, 2_697, at),
        line(LineKind.USAGE, "emails", 98_761, usage, at - _MONTH),
        line(LineKind.DISCOUNT, "welcome", 1, -1_111, at),
    )
    base = total((one.amount for one in lines), currency="USD")
    tax = Tax("iva", "MX", 160_000, base, base.times(Fraction(16, 100)))
    return Draft("USD", lines, (tax,))


def issued(tenant_id: UUID, key: str, *, now: datetime, usage: int = 12_345) -> Invoice:
    """An invoice of that draft, promised to the provider."""
    invoice = books.issue(
        tenant_id=tenant_id,
        draft=draft(now, usage=usage),
        kind=Invoice.Kind.PERIOD,
        key=key,
        now=now,
    )
    collecting.promise_collection(invoice_id=invoice.pk, now=now)
    return Invoice.objects.get(pk=invoice.pk)


def obey(*, now: datetime) -> list[str]:
    """Do what the outbox promises of commands, as a worker would; the statuses, but of what is only mirrored."""
    statuses = []
    while promised := list(
        OutboxMessage.objects.filter(task="billing.run_provider_command").order_by("pk")
    ):
        for message in promised:
            message.delete()
            command_id = UUID(message.arguments["command_id"])
            status = running.run(command_id=command_id, now=now)
            if ProviderCommand.objects.get(pk=command_id).kind != ProviderCommand.Kind.MIRROR:
                statuses.append(status)
    return statuses


def outcomes() -> list[str]:
    rows = ProviderCommand.objects.filter(kind="collect").order_by("promised_at", "pk")
    return [row.outcome or row.error for row in rows]
