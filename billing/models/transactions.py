"""Money as it moved at the providers, and where they and we differ."""

from django.db import models
from django.db.models import Q

from billing.models.prices import Provider
from billing.money import Money
from config.ids import new_id


class ProviderTransaction(models.Model):
    """A payment, refund or dispute as it was last read from its provider, and whether the books have it.

    `payment_ref` names the payment that a refund or a dispute is of. `entered_at` is null while the books
    have nothing to enter it for: no invoice yet, or not the payment.
    """

    class Kind(models.TextChoices):
        PAYMENT = "payment"
        REFUND = "refund"
        DISPUTE = "dispute"

    class Status(models.TextChoices):
        DONE = "done"
        OPEN = "open"
        WON = "won"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant_id = models.UUIDField()
    provider = models.CharField(max_length=16, choices=Provider)
    ref = models.CharField(max_length=255)
    kind = models.CharField(max_length=16, choices=Kind)
    status = models.CharField(max_length=16, choices=Status)
    currency = models.CharField(max_length=3)
    amount_minor = models.PositiveBigIntegerField()
    fee_minor = models.PositiveBigIntegerField(default=0)
    fee_currency = models.CharField(max_length=3)
    payment_ref = models.CharField(max_length=255, blank=True)
    invoice_id = models.UUIDField(null=True, blank=True)
    refund_id = models.UUIDField(null=True, blank=True)
    payment_id = models.UUIDField(null=True, blank=True)  # of the books, once entered
    occurred_at = models.DateTimeField()
    read_at = models.DateTimeField()
    entered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "ref"], name="provider_transaction_once"),
        ]
        indexes = [
            models.Index(fields=["tenant_id", "occurred_at"], name="transaction_of_tenant"),
            models.Index(
                fields=["provider", "payment_ref"],
                condition=~Q(payment_ref=""),
                name="transaction_of_payment",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.kind} {self.ref}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


class ProviderDifference(models.Model):
    """What a reconciliation found that is not the same at a provider and here. It changes nothing by itself.

    `ref` names the event, transaction, subscription or command; `here` and `there` say what stands where.
    """

    class Kind(models.TextChoices):
        EVENT = "event"  # told by the provider, and never came
        SUBSCRIPTION = "subscription"
        TRANSACTION = "transaction"
        ENTRY = "entry"  # money that moved, and is not in the books
        COMMAND = "command"  # given up

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant_id = models.UUIDField(null=True, blank=True)
    provider = models.CharField(max_length=16, choices=Provider)
    kind = models.CharField(max_length=16, choices=Kind)
    ref = models.CharField(max_length=255)
    here = models.CharField(max_length=500, blank=True)
    there = models.CharField(max_length=500, blank=True)
    found_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "kind", "ref"],
                condition=Q(gone_at=None),
                name="provider_difference_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["provider", "found_at"],
                condition=Q(gone_at=None),
                name="provider_difference_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.kind} {self.ref}"
