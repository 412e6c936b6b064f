"""The tenants of the drill `clock` (clock.py): what they use, want and pay, as the other side of the wire knows it."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from billing import books
from billing.catalogue import FREE
from billing.models import Invoice, Subscription
from billing.money import Money
from billing.services import amending, charging, closing, collecting, coupons, overdue
from billing.services.grants import entitle
from billing.services.terms import plain_terms
from billing.services.wishes import Wish
from config.errors import DomainError
from config.needs import Meter
from quotas import ledger
from tenants.models import Tenant
from tests import factories

BEGIN = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
METER = Meter.TOKENS
_PLANS = ("starter", "growth", "scale")
_FAILS_DAYS = (2, 40)


class Account:
    """One tenant, what it asked for and what its card was charged, as the other side of the wire knows it."""

    def __init__(self, tenant: Tenant, dice: random.Random) -> None:
        self.tenant, self.dice = tenant, dice
        self.used = 0
        self.keys: list[tuple[str, int]] = []
        self.fails_until = BEGIN
        self.charged: dict[str, int] = {}  # by invoice
        self.untold: list[tuple[datetime, Invoice]] = []

    @property
    def row(self) -> Subscription:
        return Subscription.objects.get(tenant=self.tenant)


def made_account(number: int, dice: random.Random) -> Account:
    """A tenant on the free plan, with dice of its own."""
    tenant = factories.TenantFactory(slug=f"clock-{number}", status=Tenant.Status.ACTIVE)
    account = Account(tenant, random.Random(dice.getrandbits(64)))
    Subscription.objects.create(tenant=tenant, plan=FREE, status="active", anchored_at=BEGIN)
    entitle(tenant_id=tenant.id, plan=FREE, now=BEGIN)
    return account


def use(account: Account, now: datetime, seen: Counter[str]) -> None:
    """Use tokens, or not: in time, late, or again under a key that has counted."""
    dice, units = account.dice, 0
    if dice.random() < 0.3:
        units, at = dice.randrange(1, 4_000_000), now
        key = f"use-{len(account.keys)}"
        if dice.random() < 0.1:
            at = now - timedelta(days=dice.randrange(1, 20))
            seen["late"] += 1
        account.keys.append((key, units))
        account.used += units
        _consume(account, key, units, max(at, BEGIN))
    if account.keys and dice.random() < 0.05:
        key, units = dice.choice(account.keys)
        _consume(account, key, units, now)
        seen["twice"] += 1


def _consume(account: Account, key: str, units: int, at: datetime) -> None:
    with transaction.atomic():
        ledger.consume(tenant_id=account.tenant.id, meter=METER, quantity=units, key=key, now=at)


def wish_something(account: Account, now: datetime, seen: Counter[str]) -> None:
    """One wish, whatever becomes of it."""
    row, dice = account.row, account.dice
    if row.billed_until is None:
        _buy(account, dice.choice(_PLANS), now)
        seen["bought"] += 1
        return
    wishes: list[Wish] = [
        Wish(plan=dice.choice(_PLANS)),
        Wish(seats=dice.randrange(1, 130)),
        Wish(add_ons={"emails": dice.randrange(3)}),
        Wish(interval=dice.choice(("month", "month", "year"))),
        Wish(plan=dice.choice(_PLANS), coupon=dice.choice(("WELCOME20", "PARTNER", "TENOFF"))),
    ]
    acts: list[Callable[[], Any]] = [
        *(lambda wish=wish: _change(account, wish, now, seen) for wish in wishes * 2),
        lambda: coupons.redeem(tenant_id=row.tenant_id, code="WELCOME20", now=now),
        lambda: amending.cancel(tenant_id=row.tenant_id, now=now),
        lambda: amending.resume(tenant_id=row.tenant_id, now=now),
    ]
    try:
        dice.choice(acts)()
    except DomainError as refusal:
        seen[f"refused {refusal.code}"] += 1


def _change(account: Account, wish: Wish, now: datetime, seen: Counter[str]) -> None:
    quote = amending.preview(tenant_id=account.tenant.id, wish=wish, now=now)
    made = amending.change(tenant_id=account.tenant.id, wish=wish, now=now).invoice
    if made is None:
        return
    seen["change"] += 1
    told = quote.draft.total.amount if quote.draft else None
    if told != made.total_minor:
        raise AssertionError(f"quoted {told}, billed {made.total_minor}: {wish}")


@transaction.atomic
def _buy(account: Account, plan: str, now: datetime) -> None:
    """As a provider's first word brings it."""
    row = Subscription.objects.select_for_update().get(tenant=account.tenant)
    row.plan, row.status, row.anchored_at, row.interval = plan, "active", now, "month"
    row.catalogue_version, row.cancels_at_period_end = None, False
    charge = charging.begin(row, terms=plain_terms(row, plan=plan), at=now, now=now)
    row.save()
    entitle(tenant_id=row.tenant_id, plan=plan, now=now)
    charging.issue(row, charge, now=now)


def collect(account: Account, now: datetime, seen: Counter[str]) -> None:
    """The provider's side: the card works or fails, and what it took is told, now, later or twice."""
    dice = account.dice
    if dice.random() < 0.01:
        account.fails_until = now + timedelta(days=dice.randrange(*_FAILS_DAYS))
    due = [(at, invoice) for at, invoice in account.untold if at <= now]
    account.untold = [each for each in account.untold if each[0] > now]
    for _, invoice in due:
        _tell(account, invoice, now)
    waiting = [invoice.pk for _, invoice in account.untold]
    open_ones = Invoice.objects.filter(tenant_id=account.tenant.id, status="open")
    for invoice in open_ones.exclude(pk__in=waiting):
        if now < account.fails_until:
            collecting.declined(tenant_id=account.tenant.id, reason="declined", now=now)
            seen["declined"] += 1
            continue
        _charge(account, invoice, now)


def _charge(account: Account, invoice: Invoice, now: datetime) -> None:
    """The card is charged; we are told at once, some days later, or twice."""
    dice = account.dice
    account.charged[str(invoice.pk)] = invoice.amount_due.amount
    if dice.random() < 0.1:
        account.untold.append((now + timedelta(days=dice.randrange(1, 3)), invoice))
        return
    for _ in range(1 + (dice.random() < 0.1)):
        _tell(account, invoice, now)


def _tell(account: Account, invoice: Invoice, now: datetime) -> None:
    books.record_payment(
        invoice_id=invoice.pk,
        provider="stripe",
        provider_ref=f"ch_{invoice.pk}",
        amount=Money(account.charged[str(invoice.pk)], invoice.currency),
        fee=Money(30, invoice.currency),
        now=now,
    )
    overdue.recover(tenant_id=account.tenant.id, now=now)


@transaction.atomic
def leave(account: Account, now: datetime) -> None:
    """Pay for nothing any more."""
    row = Subscription.objects.select_for_update().get(tenant=account.tenant)
    closing.catch_up(row, now=now)
    if row.billed_until is None:
        return
    charge = charging.finish(row, at=now, now=now)
    row.save()
    charging.issue(row, charge, now=now)
