"""Payments that are overdue, and how far asking for them has gone."""

from datetime import datetime

from django.db import models
from django.db.models import Q

from billing.models.subscriptions import Subscription
from config.ids import new_id


class DunningQuerySet(models.QuerySet["Dunning"]):
    def due(self, at: datetime) -> "DunningQuerySet":
        """Those whose next step is to be taken at `at`."""
        return self.filter(ended_at=None, next_step_at__lte=at)


class Dunning(models.Model):
    """One time of being overdue, from the first failed payment to its end (billing/services/dunning.py).

    `steps_done` counts the steps of the schedule, reckoned from `began_at`.
    """

    class Degree(models.TextChoices):
        WARN = "warn"
        READ_ONLY = "read_only"
        SUSPENDED = "suspended"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, related_name="dunnings"
    )
    degree = models.CharField(max_length=16, choices=Degree, default=Degree.WARN)
    began_at = models.DateTimeField()
    steps_done = models.PositiveSmallIntegerField(default=0)
    next_step_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    is_given_up = models.BooleanField(default=False)

    objects = DunningQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subscription"], condition=Q(ended_at=None), name="dunning_one_at_a_time"
            ),
        ]
        indexes = [
            models.Index(fields=["next_step_at"], condition=Q(ended_at=None), name="dunning_due")
        ]

    def __str__(self) -> str:
        return f"{self.degree} since {self.began_at}"
