"""A customer's credit, movement by movement. The balance is its account's, which is never overdrawn."""

from django.db import models
from django.db.models import Q

from billing.models.kept import Kept
from billing.money import Money


class CreditMovement(Kept):
    """Credit that came (positive) or went. `source_id` is the invoice, payment, … that moved it."""

    class Reason(models.TextChoices):
        GRANTED = "granted"
        NEGATIVE_INVOICE = "negative_invoice"
        CREDIT_NOTE = "credit_note"
        OVERPAID = "overpaid"
        APPLIED = "applied"
        GIVEN_BACK = "given_back"  # the invoice that it was applied to is void
        REFUNDED = "refunded"
        REFUND_FAILED = "refund_failed"

    key = models.CharField(max_length=200)
    reason = models.CharField(max_length=20, choices=Reason)
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    source_id = models.UUIDField(null=True)
    note = models.CharField(max_length=500, blank=True)
    made_by = models.CharField(max_length=254, blank=True)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "key"], name="credit_movement_once"),
            models.CheckConstraint(
                condition=~Q(amount_minor=0), name="credit_movement_of_something"
            ),
        ]
        indexes = [models.Index(fields=["tenant_id", "id"], name="credit_movement_of_tenant")]

    def __str__(self) -> str:
        return f"{self.reason} {self.amount_minor} {self.currency}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)
