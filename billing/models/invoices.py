"""Invoices and credit notes as they were issued, and the numbers that they took."""

from typing import Any

from django.db import models
from django.db.models import F, Q

from billing.models.kept import Kept
from billing.money import Money

_SETTLED = F("applied_minor") + F("paid_minor") + F("credited_minor") + F("written_off_minor")


class NumberSequence(models.Model):
    """The last number that an issuer gave in one series. Its row is locked by who takes the next.

    `forgotten` are the numbers of documents whose years of retention are over.
    """

    class Series(models.TextChoices):
        INVOICE = "invoice"
        CREDIT_NOTE = "credit_note"

    pk = models.CompositePrimaryKey("issuer", "series")
    issuer = models.CharField(max_length=32)
    series = models.CharField(max_length=16, choices=Series)
    last = models.PositiveBigIntegerField(default=0)
    forgotten = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.issuer} {self.series} {self.last}"


class Document(Kept):
    """What has a number: `reference` is the issuer's prefix and the number, as it is printed."""

    key = models.CharField(max_length=200)
    issuer = models.CharField(max_length=32)
    number = models.PositiveBigIntegerField()
    reference = models.CharField(max_length=40)
    currency = models.CharField(max_length=3)
    subtotal_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField()
    total_minor = models.BigIntegerField()
    seller: "models.JSONField[dict[str, Any]]" = models.JSONField()
    buyer: "models.JSONField[dict[str, Any]]" = models.JSONField()
    language = models.CharField(max_length=8)
    issued_at = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.reference

    @property
    def total(self) -> Money:
        return Money(self.total_minor, self.currency)


class Invoice(Document):
    """What was asked for, as it was. Only how it was settled changes afterwards.

    The total is settled by the customer's credit (`applied_minor`; negative where a negative total became
    credit), payments, credit notes, and what was written off. `facts` are the issuer of the draft's own:
    the subscription, the period.
    """

    class Status(models.TextChoices):
        OPEN = "open"
        PAID = "paid"
        VOID = "void"
        UNCOLLECTIBLE = "uncollectible"

    class Kind(models.TextChoices):
        START = "start"
        PERIOD = "period"
        CHANGE = "change"
        FINAL = "final"
        MANUAL = "manual"

    # What may be written after the issue (billing/rights.py).
    SETTLEMENT = (
        *("status", "applied_minor", "paid_minor", "credited_minor", "written_off_minor"),
        "settled_at",
    )

    kind = models.CharField(max_length=16, choices=Kind)
    status = models.CharField(max_length=16, choices=Status)
    applied_minor = models.BigIntegerField(default=0)
    paid_minor = models.BigIntegerField(default=0)
    credited_minor = models.BigIntegerField(default=0)
    written_off_minor = models.BigIntegerField(default=0)
    due_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    facts: "models.JSONField[dict[str, Any]]" = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "key"], name="invoice_once_per_key"),
            models.UniqueConstraint(fields=["issuer", "number"], name="invoice_number_once"),
            models.CheckConstraint(
                condition=Q(total_minor=F("subtotal_minor") + F("tax_minor")),
                name="invoice_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(paid_minor__gte=0, credited_minor__gte=0, written_off_minor__gte=0),
                name="invoice_settled_by_amounts",
            ),
            models.CheckConstraint(
                condition=Q(status="void", applied_minor=0, paid_minor=0, credited_minor=0)
                | Q(status="open", total_minor__gt=_SETTLED)
                | Q(status="paid", total_minor=_SETTLED, written_off_minor=0)
                | Q(status="uncollectible", total_minor=_SETTLED, written_off_minor__gt=0),
                name="invoice_status_fits",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant_id", "id"], name="invoice_of_tenant"),
            models.Index(
                fields=["tenant_id", "due_at"], condition=Q(status="open"), name="invoice_open"
            ),
        ]

    @property
    def amount_due(self) -> Money:
        """What is still to be paid; nothing of a void invoice."""
        if self.status == self.Status.VOID:
            return Money(0, self.currency)
        settled = self.applied_minor + self.paid_minor + self.credited_minor
        return Money(self.total_minor - settled - self.written_off_minor, self.currency)


class InvoiceLine(Kept):
    """One line before tax, as it was rated (billing/rating/lines.py says what its fields are)."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=16)
    subject = models.CharField(max_length=100)
    quantity = models.BigIntegerField()
    amount_minor = models.BigIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    facts: "models.JSONField[dict[str, Any]]" = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["invoice", "position"], name="invoice_line_in_order")
        ]

    def __str__(self) -> str:
        return f"{self.position} {self.kind} {self.subject}"


class InvoiceTax(Kept):
    """One rate's tax on the whole invoice; a reverse charge has rate 0."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="taxes")
    position = models.PositiveSmallIntegerField()
    tax = models.CharField(max_length=64)
    country = models.CharField(max_length=2)
    rate_millionths = models.PositiveIntegerField()
    base_minor = models.BigIntegerField()
    amount_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["invoice", "position"], name="invoice_tax_in_order")
        ]

    def __str__(self) -> str:
        return f"{self.tax} {self.rate_millionths}"


class CreditNote(Document):
    """What is taken back of an invoice: first of what is due, the rest to the customer's credit.

    `lines` are `[{"position", "amount_minor"}]` of the invoice's lines, `taxes` likewise of its taxes.
    Amounts are positive: they are given back.
    """

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="credit_notes")
    reason = models.CharField(max_length=500)
    lines: "models.JSONField[list[dict[str, int]]]" = models.JSONField()
    taxes: "models.JSONField[list[dict[str, int]]]" = models.JSONField()
    reduced_minor = models.PositiveBigIntegerField()
    to_credit_minor = models.PositiveBigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "key"], name="credit_note_once_per_key"),
            models.UniqueConstraint(fields=["issuer", "number"], name="credit_note_number_once"),
            models.CheckConstraint(
                condition=Q(total_minor=F("subtotal_minor") + F("tax_minor"), total_minor__gt=0)
                & Q(total_minor=F("reduced_minor") + F("to_credit_minor")),
                name="credit_note_adds_up",
            ),
        ]
        indexes = [models.Index(fields=["tenant_id", "id"], name="credit_note_of_tenant")]
