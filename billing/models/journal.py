"""The double-entry journal: accounts of each tenant and currency, entries, and their postings.

Amounts are signed: a debit is positive, a credit negative. The database keeps an entry's postings at a sum
of zero in each currency, and an account's balance at the sum of its postings (billing/sealed/books.py).
"""

from django.db import models
from django.db.models import Q

from billing.models.kept import Kept


class Account(Kept):
    """What a tenant's money is, seen from us. Its balance moves with its postings, never by hand."""

    class Kind(models.TextChoices):
        RECEIVABLE = "receivable"
        REVENUE = "revenue"
        TAX = "tax"
        CREDIT = "credit"  # what we owe a customer, to be set off against invoices
        REFUNDS_DUE = "refunds_due"  # promised to a customer, not yet sent by the provider
        FEES = "fees"
        BAD_DEBT = "bad_debt"
        PROMOTIONS = "promotions"
        CASH_STRIPE = "cash_stripe"
        CASH_PAYPAL = "cash_paypal"
        CASH_MANUAL = "cash_manual"

    kind = models.CharField(max_length=16, choices=Kind)
    currency = models.CharField(max_length=3)
    balance_minor = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "kind", "currency"], name="account_once_per_currency"
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["credit", "refunds_due"]) | Q(balance_minor__lte=0),
                name="account_credit_is_not_overdrawn",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.currency}"


class JournalEntry(Kept):
    """One event of the books; `source_id` is the invoice, payment, … that it tells, which tells it once."""

    class Kind(models.TextChoices):
        ISSUE = "issue"
        VOID = "void"
        WRITE_OFF = "write_off"
        CREDIT_NOTE = "credit_note"
        PAYMENT = "payment"
        REFUND = "refund"
        REFUND_SENT = "refund_sent"
        REFUND_FAILED = "refund_failed"
        CREDIT = "credit"

    kind = models.CharField(max_length=16, choices=Kind)
    source_id = models.UUIDField()
    note = models.CharField(max_length=500, blank=True)
    entered_at = models.DateTimeField()

    class Meta:
        constraints = [
            # An invoice that was reopened after a write-off may be written off again.
            models.UniqueConstraint(
                fields=["kind", "source_id"],
                condition=~Q(kind="write_off"),
                name="journal_entry_once",
            )
        ]
        indexes = [
            models.Index(fields=["tenant_id", "entered_at"], name="journal_entry_of_tenant"),
            models.Index(fields=["entered_at"], name="journal_entry_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.source_id}"


class Posting(Kept):
    """One amount of an entry on one account, in the account's currency."""

    entry = models.ForeignKey(JournalEntry, on_delete=models.PROTECT, related_name="postings")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="postings")
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(amount_minor=0), name="posting_is_not_zero")
        ]

    def __str__(self) -> str:
        return f"{self.amount_minor} {self.currency}"
