"""What providers are still to do."""

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Q

from billing.models.prices import Provider
from config.ids import new_id


class ProviderCommandQuerySet(models.QuerySet["ProviderCommand"]):
    def due(self, at: datetime) -> "ProviderCommandQuerySet":
        """Commands to be tried (again) at `at`."""
        return self.filter(status=ProviderCommand.Status.WAITING, next_attempt_at__lte=at)


class ProviderCommand(models.Model):
    """One thing that a provider is to do, promised in the transaction that decided it.

    Its id is the key under which the provider does it once. It is tried until it is done; a provider that
    is down makes it wait, and stops nothing else. `subject_id` is the invoice, refund or subscription.
    """

    class Kind(models.TextChoices):
        COLLECT = "collect"
        WITHDRAW = "withdraw"
        REFUND = "refund"
        ENTRUST = "entrust"  # a subscription's own invoices are void: ours are collected
        CARRY = "carry"
        MIRROR = "mirror"
        SWITCH = "switch"  # the subscription ends there, and another begins in the new currency

    class Status(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        FAILED = "failed"

    MOST_ATTEMPTS = 16
    _LONGEST_PAUSE = timedelta(hours=6)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant_id = models.UUIDField()
    provider = models.CharField(max_length=16, choices=Provider)
    kind = models.CharField(max_length=16, choices=Kind)
    subject_id = models.UUIDField()
    arguments: "models.JSONField[dict[str, Any]]" = models.JSONField(default=dict)
    status = models.CharField(max_length=16, choices=Status, default=Status.WAITING)
    outcome = models.CharField(max_length=100, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)
    promised_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)

    objects = ProviderCommandQuerySet.as_manager()

    class Meta:
        constraints = [
            # Promised twice is promised once.
            models.UniqueConstraint(
                fields=["kind", "subject_id"],
                condition=Q(status="waiting"),
                name="provider_command_one_waits",
            ),
            models.CheckConstraint(
                condition=Q(status="waiting", next_attempt_at__isnull=False, settled_at=None)
                | (~Q(status="waiting") & Q(next_attempt_at=None, settled_at__isnull=False)),
                name="provider_command_waits_or_is_settled",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(status="waiting"),
                name="provider_command_due",
            ),
            models.Index(fields=["tenant_id", "id"], name="provider_command_of_tenant"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.kind} {self.subject_id}"

    def settle(self, outcome: str, *, now: datetime) -> None:
        """Done: nothing tries it again."""
        self.status, self.outcome, self.error = self.Status.DONE, outcome[:100], ""
        self.next_attempt_at, self.settled_at = None, now
        self.save()

    def wait(self, until: datetime) -> None:
        """Its time has not come: no attempt is counted."""
        self.attempts -= 1
        self.next_attempt_at = until
        self.save()

    def fail(self, error: str, *, now: datetime) -> None:
        """Try again after 15 s, 30 s, 1 min … 6 h; after MOST_ATTEMPTS only a person does."""
        self.error = error[:500]
        pause = min(timedelta(seconds=15) * 2 ** (self.attempts - 1), self._LONGEST_PAUSE)
        self.next_attempt_at = now + pause
        if self.attempts >= self.MOST_ATTEMPTS:
            self.status, self.next_attempt_at, self.settled_at = self.Status.FAILED, None, now
        self.save()
