"""The inbox of webhooks."""

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Q

from billing.models.prices import Provider
from config.ids import new_id


class WebhookEventQuerySet(models.QuerySet["WebhookEvent"]):
    def due(self, at: datetime) -> "WebhookEventQuerySet":
        """Events to be tried (again) at `at`."""
        return self.filter(next_attempt_at__lte=at)


class WebhookEvent(models.Model):
    """The inbox: a verified event, kept once under the provider's id (WebhookKey), until it is handled.

    Partitioned by month of `received_at`; the database's primary key is (id, received_at).
    """

    class Status(models.TextChoices):
        RECEIVED = "received"
        DONE = "done"
        FAILED = "failed"
        IGNORED = "ignored"

    SETTLED = (Status.DONE, Status.IGNORED)
    MOST_ATTEMPTS = 12
    _LONGEST_PAUSE = timedelta(hours=6)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    provider = models.CharField(max_length=16, choices=Provider)
    provider_event_id = models.CharField(max_length=255)
    kind = models.CharField(max_length=100)
    subscription_ref = models.CharField(max_length=255, blank=True)
    payload: "models.JSONField[dict[str, Any]]" = models.JSONField()
    received_at = models.DateTimeField()
    status = models.CharField(max_length=16, choices=Status, default=Status.RECEIVED)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)
    handled_at = models.DateTimeField(null=True, blank=True)
    tenant_id = models.UUIDField(null=True, blank=True)

    objects = WebhookEventQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(status__in=["done", "ignored"])
                | Q(handled_at__isnull=False, next_attempt_at=None),
                name="webhook_event_settled_is_handled",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False),
                name="webhook_event_due",
            ),
            models.Index(fields=["received_at"], name="webhook_event_by_age"),
            models.Index(
                fields=["tenant_id", "received_at"],
                condition=Q(tenant_id__isnull=False),
                name="webhook_event_of_tenant",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.kind} {self.provider_event_id}"

    def settle(self, status: "WebhookEvent.Status", *, tenant_id: Any, now: datetime) -> None:
        """Handled for good: nothing tries it again until somebody replays it."""
        self.status, self.tenant_id, self.handled_at = status, tenant_id, now
        self.next_attempt_at, self.error, self.attempts = None, "", self.attempts + 1
        self.save()

    def fail(self, error: str, *, now: datetime) -> None:
        """Try again after 15 s, 30 s, 1 min … 6 h; after MOST_ATTEMPTS only a replay does."""
        self.status, self.error = self.Status.FAILED, error[:500]
        self.attempts += 1
        pause = min(timedelta(seconds=15) * 2 ** (self.attempts - 1), self._LONGEST_PAUSE)
        self.next_attempt_at = now + pause if self.attempts < self.MOST_ATTEMPTS else None
        self.save()


class WebhookKey(models.Model):
    """An event comes in once, in whatever month it comes again: kept for ever, when the event is long gone.

    A partitioned table cannot have a key without its month, so keys have a table of their own, in four
    parts by hash. `digest` is of the provider and its id of the event; its own hash is longer than needed.
    """

    digest = models.UUIDField(primary_key=True)
    event_id = models.UUIDField()
    received_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.digest} of {self.event_id}"
