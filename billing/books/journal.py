"""Open a tenant's accounts under lock, and write balanced entries on them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing.books.retention import kept_until
from billing.models import Account, JournalEntry, Posting
from billing.money import Money
from config.ids import new_id

Kind = Account.Kind
Side = tuple[Account.Kind, Money]


@dataclass(frozen=True, slots=True)
class Book:
    """A tenant's accounts, locked until the commit: who has them is alone with the tenant's money."""

    tenant_id: UUID
    accounts: dict[tuple[str, str], Account]
    now: datetime

    def credit(self, currency: str) -> Money:
        """What the customer has to its credit, entries of this transaction included."""
        return Money(-self.accounts[Kind.CREDIT, currency].balance_minor, currency)

    def post(
        self, kind: JournalEntry.Kind, source_id: UUID, sides: Iterable[Side], *, note: str = ""
    ) -> None:
        """Write one entry of debits (positive) and credits; nothing where all are zero.

        The database refuses it where it does not balance.
        """
        amounts: defaultdict[tuple[str, str], int] = defaultdict(int)
        for account, money in sides:
            amounts[account, money.currency] += money.amount
        moved = {place: amount for place, amount in sorted(amounts.items()) if amount}
        if not moved:
            return
        entry = JournalEntry(
            tenant_id=self.tenant_id,
            kind=kind,
            source_id=source_id,
            note=note[:500],
            entered_at=self.now,
            kept_until=kept_until(self.now),
        )
        # Before their entry: to one that stands nothing is added.
        Posting.objects.bulk_create(self._posting(entry, *each) for each in moved.items())
        entry.save(force_insert=True)

    def _posting(self, entry: JournalEntry, place: tuple[str, str], amount: int) -> Posting:
        account = self.accounts[place]
        account.balance_minor += amount  # as the trigger does in the database
        return Posting(
            tenant_id=self.tenant_id,
            entry_id=entry.pk,
            account=account,
            currency=account.currency,
            amount_minor=amount,
            kept_until=entry.kept_until,
        )


def open_book(*, tenant_id: UUID, currencies: Iterable[str], now: datetime) -> Book:
    """The tenant's accounts in these currencies, made where there are none, and locked.

    One order for everybody, and before any other lock of the books, so that nobody waits in a circle.
    A tenant's role cannot reach the rows, so it cannot hold up its own bill.
    """
    wanted = sorted(set(currencies))
    found = _locked(tenant_id, wanted)
    missing = [
        (kind, currency) for currency in wanted for kind in Kind if (kind, currency) not in found
    ]
    if missing:
        Account.objects.bulk_create(
            [
                Account(
                    id=new_id(),
                    tenant_id=tenant_id,
                    kind=kind,
                    currency=currency,
                    kept_until=kept_until(now),
                )
                for kind, currency in missing
            ],
            ignore_conflicts=True,
        )
        found = _locked(tenant_id, wanted)
    return Book(tenant_id, found, now)


def _locked(tenant_id: UUID, currencies: list[str]) -> dict[tuple[str, str], Account]:
    rows = Account.objects.filter(tenant_id=tenant_id, currency__in=currencies)
    ordered = rows.order_by("currency", "kind").select_for_update()
    return {(each.kind, each.currency): each for each in ordered}
