"""Money that came, and money that went back."""

from django.db import models
from django.db.models import Q

from billing.models.invoices import CreditNote, Invoice
from billing.models.kept import Kept
from billing.money import Money


class Collector(models.TextChoices):
    """Through whom money comes; `manual` is a transfer that an operator entered."""

    STRIPE = "stripe"
    PAYPAL = "paypal"
    MANUAL = "manual"


class Payment(Kept):
    """What a collector says was paid for an invoice. What is beyond its due became credit (`surplus_minor`)."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="payments")
    provider = models.CharField(max_length=16, choices=Collector)
    provider_ref = models.CharField(max_length=255)
    currency = models.CharField(max_length=3)
    amount_minor = models.PositiveBigIntegerField()
    surplus_minor = models.PositiveBigIntegerField()
    fee_minor = models.PositiveBigIntegerField()
    fee_currency = models.CharField(max_length=3)
    received_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "provider_ref"], name="payment_once"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payment_of_something"),
        ]
        indexes = [models.Index(fields=["tenant_id", "id"], name="payment_of_tenant")]

    def __str__(self) -> str:
        return f"{self.provider} {self.provider_ref}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


class Refund(Kept):
    """Money on its way back. Ours is taken from the customer's credit while `pending`.

    One that the provider made without us (a dispute, its dashboard) reopens the invoice by
    `reopened_minor` and is `sent` from the start.
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        SENT = "sent"
        FAILED = "failed"

    SETTLEMENT = ("status", "provider_ref", "settled_at")

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    credit_note = models.ForeignKey(
        CreditNote, on_delete=models.PROTECT, null=True, related_name="refunds"
    )
    key = models.CharField(max_length=200)
    provider = models.CharField(max_length=16, choices=Collector)
    provider_ref = models.CharField(max_length=255, blank=True)
    currency = models.CharField(max_length=3)
    amount_minor = models.PositiveBigIntegerField()
    reopened_minor = models.PositiveBigIntegerField(default=0)
    status = models.CharField(max_length=16, choices=Status)
    made_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "key"], name="refund_once_per_key"),
            models.UniqueConstraint(
                fields=["provider", "provider_ref"],
                condition=~Q(provider_ref=""),
                name="refund_once_per_provider",
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0)
                & (Q(status="pending") | Q(settled_at__isnull=False)),
                name="refund_of_something",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.provider_ref or self.status}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)
