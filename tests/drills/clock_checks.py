"""What must be true at the end of the drill `clock`: each unit, number, charge and posting, once and whole."""

from collections import Counter, defaultdict
from datetime import datetime

from billing.books import checking
from billing.models import Invoice, NumberSequence, Payment
from quotas import entitlements
from quotas.models import UsageTotal
from tests.drills.clock_accounts import METER, Account
from tests.drills.outcome import Outcome


def check(outcome: Outcome, account: Account, *, now: datetime) -> None:
    """What one tenant used, was billed and paid, and what it may now."""
    name, tenant_id = account.tenant.slug, account.tenant.id
    totals = UsageTotal.objects.filter(tenant_id=tenant_id, meter=METER.value)
    counted = dict(totals.values_list("period_start", "used"))
    if sum(counted.values()) != account.used:
        outcome.lose(f"{name}: {account.used} used, {sum(counted.values())} counted")
    billed = _billed(account)
    for start, units in billed.items():
        if units != counted.get(start, 0):
            word = outcome.double if units > counted.get(start, 0) else outcome.lose
            word(f"{name}: of {start:%Y-%m-%d} {counted.get(start, 0)} used, {units} billed")
    paid = dict(
        Payment.objects.filter(tenant_id=tenant_id).values_list("provider_ref", "amount_minor")
    )
    charged = {f"ch_{pk}": amount for pk, amount in account.charged.items()}
    told = {f"ch_{invoice.pk}" for _, invoice in account.untold}
    if paid != {ref: amount for ref, amount in charged.items() if ref not in told}:
        outcome.lose(f"{name}: charged {len(charged)}, entered {len(paid)}")
    _check_periods(outcome, account)
    row, found = (
        account.row,
        entitlements.snapshot(tenant_id, now=now),
    )
    if found.plan != row.plan or (row.status == "active" and found.hold):
        outcome.leak(f"{name}: has {found.plan} {found.hold}, pays for {row.plan} {row.status}")


def _billed(account: Account) -> dict[datetime, int]:
    """Units in invoices by the beginning of the period whose use they are."""
    units: dict[datetime, int] = defaultdict(int)
    for invoice in Invoice.objects.filter(tenant_id=account.tenant.id):
        for line in invoice.lines.filter(subject=METER.value, kind__in=["usage", "late_usage"]):
            units[datetime.fromisoformat(line.facts["period_start"])] += line.quantity
    return units


def _check_periods(outcome: Outcome, account: Account) -> None:
    """No moment is the beginning of two billed periods, and no period's invoice was issued twice."""
    invoices = Invoice.objects.filter(tenant_id=account.tenant.id, kind__in=["start", "period"])
    begun = [
        line.starts_at
        for invoice in invoices
        for line in invoice.lines.filter(kind="plan", amount_minor__gt=0)
    ]
    for start, times in Counter(begun).items():
        if times > 1:
            outcome.double(f"{account.tenant.slug}: the period of {start} was begun {times} times")


def check_numbers(outcome: Outcome) -> None:
    """Each issuer's numbers are 1, 2, 3 … to the last that was taken."""
    for sequence in NumberSequence.objects.filter(series="invoice"):
        rows = Invoice.objects.filter(issuer=sequence.issuer).order_by("number")
        numbers = list(rows.values_list("number", flat=True))
        if numbers != list(range(1, sequence.last + 1)):
            outcome.lose(
                f"{sequence.issuer}: numbers with a gap, {len(numbers)} of {sequence.last}"
            )
        outcome.remarks.append(f"{len(numbers)} invoices of {sequence.issuer} without a gap")


def check_books(outcome: Outcome) -> None:
    """The journal is balanced, and every account is its history."""
    for fault in checking.faults():
        outcome.leak(f"books: {fault}")
