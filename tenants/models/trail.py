"""The audit trail's part of the square: what waits to be sealed, where each chain ends, and operators' own trail.

A tenant's sealed rows stand in its schema (tenants/trail/models.py). Nothing here is the square's to write:
plaza.record_trail and plaza.seal_trail do it, and the owner prunes.
"""

from typing import ClassVar
from uuid import UUID

from django.db import models
from django.db.models.functions import Now

from config.ids import new_id

# The chain of the operators' trail: it has a tenant's place among the heads, and no tenant.
OPERATORS = UUID(int=0)


class TrailRow(models.Model):
    """One sealed act. Its order is that of the columns over which its digest is made (tenants/trail/chain.py).

    `number` runs without a gap. `before` and `after` hold changed fields alone, masked by rule.
    `about_tenant_id` is told in the operators' trail only.
    """

    number = models.BigIntegerField(primary_key=True)
    id = models.UUIDField(default=new_id, editable=False)
    recorded_at = models.DateTimeField()
    action = models.CharField(max_length=64)
    actor_kind = models.CharField(max_length=16)
    actor_id = models.UUIDField(null=True)
    person_id = models.UUIDField(null=True)
    operator_id = models.UUIDField(null=True)
    about_tenant_id = models.UUIDField(null=True)
    object_kind = models.CharField(max_length=40)
    object_id = models.CharField(max_length=100)
    object_label = models.CharField(max_length=200)
    address = models.CharField(max_length=45)
    user_agent = models.CharField(max_length=200)
    request_id = models.CharField(max_length=64)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    digest = models.CharField(max_length=64)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.number} {self.action}"


class OperatorEvent(TrailRow):
    """What operators did, at a tenant or not. It outlives the tenants that it tells of."""

    objects: ClassVar[models.Manager["OperatorEvent"]]

    class Meta:
        indexes = [
            models.Index(fields=["about_tenant_id", "number"], name="operator_event_about"),
            models.Index(fields=["recorded_at"], name="operator_event_at"),
        ]


class TrailPending(models.Model):
    """An act that is done and not sealed yet; `body` holds a TrailRow's columns."""

    # Of two tenants restored from one archive the ids may be the same.
    pk = models.CompositePrimaryKey("tenant_id", "id")
    tenant_id = models.UUIDField()
    id = models.UUIDField()
    recorded_at = models.DateTimeField()
    body = models.JSONField()

    objects: ClassVar[models.Manager["TrailPending"]]

    class Meta:
        indexes = [
            models.Index(fields=["tenant_id", "recorded_at", "id"], name="trail_pending_in_turn")
        ]

    def __str__(self) -> str:
        return str(self.id)


class TrailHead(models.Model):
    """Where a chain ends, and where what is left of it begins: the anchor by which it is proved.

    The first row kept is `pruned_number` + 1 and follows on `pruned_digest`, which is that of the last
    row pruned; before any was, 0 and the chain's own beginning. `pruned_before`: rows older than that
    are gone.
    """

    tenant_id = models.UUIDField(primary_key=True)
    number = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    reached_at = models.DateTimeField(db_default=Now())
    pruned_number = models.BigIntegerField(default=0)
    pruned_digest = models.CharField(max_length=64)
    pruned_before = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager["TrailHead"]]

    def __str__(self) -> str:
        return f"{self.tenant_id} {self.number}"
