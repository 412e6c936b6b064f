"""What the books' tests begin with: drafts, issued invoices, and what every account stands at."""

from datetime import UTC, datetime
from typing import Any

from billing import books
from billing.models import Account, Invoice, Payment
from billing.money import Money
from billing.rating.lines import Draft, Line, LineKind, Tax

BEGIN, END = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)


def usd(amount: int) -> Money:
    return Money(amount, "USD")


def line(amount: int, *, kind: str = "plan", subject: str = "growth", **facts: Any) -> Line:
    return Line(LineKind(kind), subject, 1, usd(amount), BEGIN, END, facts)


def draft(*amounts: int, tax: int = 0) -> Draft:
    """Lines of these amounts, and 16 % of IVA of this amount where there is one."""
    lines = tuple(line(amount) for amount in amounts)
    base = usd(sum(amounts))
    taxes = (Tax("iva", "MX", 160_000, base, usd(tax)),) if tax else ()
    return Draft("USD", lines, taxes)


def issued(tenant: Any, now: datetime, *amounts: int, tax: int = 0, key: str = "oct") -> Invoice:
    return books.issue(
        tenant_id=tenant.pk,
        draft=draft(*amounts, tax=tax),
        kind=Invoice.Kind.PERIOD,
        key=key,
        now=now,
    )


def paid(
    invoice: Invoice, amount: int, now: datetime, *, ref: str = "pi_1", fee: int = 0
) -> Payment:
    return books.record_payment(
        invoice_id=invoice.pk,
        provider="stripe",
        provider_ref=ref,
        amount=usd(amount),
        fee=usd(fee),
        now=now,
    )


def standing(tenant: Any) -> dict[str, int]:
    """Each account of dollars that is not at zero."""
    rows = Account.objects.filter(tenant_id=tenant.pk, currency="USD").exclude(balance_minor=0)
    return {row.kind: row.balance_minor for row in rows}
