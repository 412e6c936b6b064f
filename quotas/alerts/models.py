"""What was told of usage, how a tenant wants to be told, and the days from which a pace is read."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from config.ids import new_id


class UsageDay(models.Model):
    """What a meter's total stood at when `day` (UTC) was last read (quotas/daily.py)."""

    pk = models.CompositePrimaryKey("tenant_id", "meter", "day")
    tenant_id = models.UUIDField()
    meter = models.CharField(max_length=32)
    day = models.DateField()
    period_start = models.DateTimeField()
    used = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.used} {self.meter} on {self.day}"


class AlertSetting(models.Model):
    """How a tenant wants to be told of one meter. Without a row the defaults hold (quotas/alerts/settings.py)."""

    pk = models.CompositePrimaryKey("tenant_id", "meter")
    tenant_id = models.UUIDField()
    meter = models.CharField(max_length=32)
    by_mail = models.BooleanField()
    by_webhook = models.BooleanField()
    extra_percents = ArrayField(models.PositiveSmallIntegerField())
    roles = ArrayField(models.CharField(max_length=16))
    quiet_hours = models.PositiveSmallIntegerField()

    class Meta:
        constraints: ClassVar = [
            # An archive brings rows that no serializer has seen.
            models.CheckConstraint(
                condition=Q(extra_percents__contained_by=list(range(1, 100)), quiet_hours__lte=720),
                name="alert_setting_can_be_told",
            )
        ]

    def __str__(self) -> str:
        return f"{self.meter} of {self.tenant_id}"


class UsageAlert(models.Model):
    """One thing that was told of a meter in a period: a threshold of a limit, or a forecast (percent 0).

    The unique row decides: whoever writes it tells. `is_told` is false for thresholds that count as
    told without a word, since higher ones were told at the same moment, or the units were before.
    """

    FORECAST = 0

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant_id = models.UUIDField()
    meter = models.CharField(max_length=32)
    period_start = models.DateTimeField()
    percent = models.PositiveSmallIntegerField()
    limit = models.BigIntegerField()
    used = models.BigIntegerField()
    is_told = models.BooleanField()
    told_at = models.DateTimeField()

    objects: ClassVar[models.Manager["UsageAlert"]]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "meter", "period_start", "percent", "limit"],
                name="usage_alert_once_per_limit",
            ),
            models.CheckConstraint(condition=Q(limit__gte=0), name="usage_alert_has_limit"),
        ]

    def __str__(self) -> str:
        return f"{self.percent} % of {self.limit} {self.meter} of {self.tenant_id}"
