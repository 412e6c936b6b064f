"""A tenant's spend cap, and what each billing period's budget has taken."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from tenants.models.versions import VersionedModel, VersionedQuerySet


class SpendCap(VersionedModel):
    """How much of a billing period's budget usage above the included may take. No row is no cap.

    `amount` is in minor units of `unit`, the budget's opaque name that billing granted when it was set.
    """

    tenant_id = models.UUIDField(primary_key=True)
    amount = models.BigIntegerField()
    unit = models.CharField(max_length=16)
    set_by = models.CharField(max_length=254, blank=True, db_default="")
    set_at = models.DateTimeField()

    objects = VersionedQuerySet.as_manager()
    versioned_from_birth = True

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(amount__gte=0), name="spend_cap_is_not_negative")
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.unit} for {self.tenant_id}"


class Spend(models.Model):
    """What a capped tenant's usage had come to when its period's budget was last reckoned.

    `carried` is what was spent under former terms of the same period, and `since` the units of each
    window {"meter:window": units} with which the present ones began. The row is also the lock under
    which writers reckon (quotas/sealed/spending.py).
    """

    pk = models.CompositePrimaryKey("tenant_id", "period_start")
    tenant_id = models.UUIDField()
    period_start = models.DateTimeField()
    spent = models.BigIntegerField()
    carried = models.BigIntegerField(db_default=0)
    since: "models.JSONField[dict[str, int]]" = models.JSONField(db_default={})

    def __str__(self) -> str:
        return f"{self.spent} of {self.tenant_id}"
