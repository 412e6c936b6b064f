"""What was subscribed when, and what is to be: the facts of proration."""

from typing import Any

from django.db import models
from django.db.models import F, Q

from billing.models.subscriptions import Subscription
from config.ids import new_id


class SubscriptionSpan(models.Model):
    """What was paid for in [starts_at, ends_at); `ends_at` null: until now. `terms` as Terms says them.

    A trial of ours and the free plan have none: nothing is owed for them.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="spans")
    terms: "models.JSONField[dict[str, Any]]" = models.JSONField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    # Units by meter that the period had used when it began, where it began within one.
    used_before: "models.JSONField[dict[str, int]]" = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subscription"], condition=Q(ends_at=None), name="span_one_is_open"
            ),
            models.UniqueConstraint(fields=["subscription", "starts_at"], name="span_starts_once"),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")), name="span_has_length"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.terms.get('plan')} from {self.starts_at}"


class SubscriptionChange(models.Model):
    """A wish for other terms, until it is done or called off. One at a time: a newer one replaces it."""

    class Status(models.TextChoices):
        PENDING = "pending"  # waits for the provider's, or the buyer's, word
        SCHEDULED = "scheduled"  # waits for the period's end
        DONE = "done"
        CALLED_OFF = "called_off"

    OPEN = (Status.PENDING, Status.SCHEDULED)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="changes")
    terms: "models.JSONField[dict[str, Any]]" = models.JSONField()
    status = models.CharField(max_length=16, choices=Status)
    asked_at = models.DateTimeField()
    quoted_at = models.DateTimeField()  # the moment from which an immediate change is reckoned
    effective_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    # Where the buyer must consent: to what each cycle takes (null: to the plan alone), where, until when.
    consent_minor = models.PositiveBigIntegerField(null=True, blank=True)
    consent_url = models.TextField(blank=True, default="", db_default="")
    expires_at = models.DateTimeField(null=True, blank=True)
    # What is scheduled once this is agreed: the part of the wish that waits for the period's end.
    then_terms: "models.JSONField[dict[str, Any] | None]" = models.JSONField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subscription"],
                condition=Q(status__in=["pending", "scheduled"]),
                name="change_one_is_open",
            ),
            models.CheckConstraint(
                condition=~Q(status="scheduled", effective_at=None),
                name="change_scheduled_has_moment",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "scheduled"], settled_at=None)
                | (~Q(status__in=["pending", "scheduled"]) & Q(settled_at__isnull=False)),
                name="change_settled_has_moment",
            ),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"], condition=Q(status="pending"), name="change_consent_due"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.terms.get('plan')} {self.status}"


class BilledUsage(models.Model):
    """How many units of a meter's period stand in invoices: what comes later is billed as late usage."""

    pk = models.CompositePrimaryKey("tenant_id", "meter", "period_start")
    tenant_id = models.UUIDField()
    meter = models.CharField(max_length=32)
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    units = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return f"{self.tenant_id} {self.meter} {self.period_start}"
