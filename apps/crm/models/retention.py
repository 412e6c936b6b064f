"""For how long a tenant keeps what: its own word on a class of data, where it has given one."""

from django.db import models
from django.db.models import Q

from tenants.querysets import StallModel


class RetentionRule(StallModel):
    """The tenant's period for one class (apps/crm/services/privacy/retention.py). `days` null keeps for ever."""

    data_class = models.CharField(primary_key=True, max_length=40)
    days = models.PositiveIntegerField(null=True)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(days__gte=1), name="retention_rule_is_a_day_or_more")
        ]

    def __str__(self) -> str:
        return f"{self.data_class} {self.days}"
