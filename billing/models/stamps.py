"""Fiscal documents that a certified provider makes of ours."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q

from billing.models.kept import Kept


class FiscalStampQuerySet(models.QuerySet["FiscalStamp"]):
    def due(self, at: datetime) -> "FiscalStampQuerySet":
        return self.filter(status=FiscalStamp.Status.WAITING, next_attempt_at__lte=at)


class FiscalStamp(Kept):
    """A document that is to be stamped, or was. Its id is the key under which that happens once."""

    class Status(models.TextChoices):
        WAITING = "waiting"
        STAMPED = "stamped"
        REFUSED = "refused"

    _LONGEST_PAUSE = timedelta(hours=6)

    series = models.CharField(max_length=16)  # of the document: invoice, credit_note
    document_id = models.UUIDField(unique=True)
    status = models.CharField(max_length=16, choices=Status, default=Status.WAITING)
    reference = models.CharField(max_length=100, blank=True)
    url = models.CharField(max_length=500, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)
    stamped_at = models.DateTimeField(null=True)

    objects = FiscalStampQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="stamped") | (Q(stamped_at__isnull=False) & ~Q(reference="")),
                name="fiscal_stamp_has_reference",
            )
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"], condition=Q(status="waiting"), name="fiscal_stamp_due"
            )
        ]

    def __str__(self) -> str:
        return f"{self.series} {self.status}"

    def wait(self, error: str, *, now: datetime) -> None:
        """Try again after 1, 2, 4 … minutes, at most 6 hours."""
        pause = min(timedelta(minutes=1) * 2 ** min(self.attempts, 10), self._LONGEST_PAUSE)
        self.attempts, self.error, self.next_attempt_at = (
            self.attempts + 1,
            error[:500],
            now + pause,
        )
        self.save()
