"""How much a tenant may, and how much it has used. Public tables; every index is led by the tenant."""

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from config.ids import new_id
from quotas.alerts.models import AlertSetting, UsageAlert, UsageDay
from quotas.caps.models import Spend, SpendCap
from tenants.models.versions import VersionedModel, VersionedQuerySet

__all__ = [
    "AlertSetting",
    "ApiCallMark",
    "ApiCallShare",
    "Explanation",
    "Grant",
    "Hold",
    "Spend",
    "SpendCap",
    "UsageAlert",
    "UsageDay",
    "UsageEvent",
    "UsageKey",
    "UsageTotal",
    "UsageValue",
]


class Grant(VersionedModel):
    """What one source (a plan, an add-on, an override) entitles a tenant to, until `expires_at`.

    limits: {meter: total or null for unlimited}. adds: {meter: units beyond the total}.
    rates: {scope: [limit, seconds]}. Billing periods begin at `anchored_at` and last an `interval`.
    ladder: {meter: [[plan, limit], …]} in order of price. feature_ladder: {feature: cheapest plan}.
    weights: {meter: {scale, bends: [[after, base, price, step], …]}} of units above the total (quotas/caps/weights.py),
    against a budget in `budget_unit`. Merged in quotas/entitlements.py.
    """

    pk = models.CompositePrimaryKey("tenant_id", "source")
    tenant_id = models.UUIDField()
    source = models.CharField(max_length=100)
    plan = models.CharField(max_length=64, blank=True)
    features = ArrayField(models.CharField(max_length=64), default=list)
    limits = models.JSONField(default=dict)
    adds = models.JSONField(db_default={})
    rates = models.JSONField(default=dict)
    ladder = models.JSONField(default=dict)
    feature_ladder = models.JSONField(default=dict)
    priority = models.SmallIntegerField(default=0)
    granted_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    anchored_at = models.DateTimeField(null=True)
    interval = models.CharField(max_length=8, db_default="month")
    granted_by = models.CharField(max_length=254, blank=True, db_default="")
    reason = models.CharField(max_length=500, blank=True, db_default="")
    weights = models.JSONField(db_default={})
    budget_unit = models.CharField(max_length=16, blank=True, db_default="")

    objects = VersionedQuerySet.as_manager()
    versioned_from_birth = True

    def __str__(self) -> str:
        return f"{self.source} of {self.tenant_id}"


class Hold(VersionedModel):
    """A restriction that billing lays on a tenant; `code` is that of the refusal it causes."""

    tenant_id = models.UUIDField(primary_key=True)
    code = models.CharField(max_length=64)
    held_at = models.DateTimeField(db_default=Now())

    objects = VersionedQuerySet.as_manager()
    versioned_from_birth = True

    def __str__(self) -> str:
        return f"{self.code} of {self.tenant_id}"


class UsageTotal(models.Model):
    """What a tenant has used of a meter in the period that began at `period_start`."""

    pk = models.CompositePrimaryKey("tenant_id", "meter", "period_start")
    tenant_id = models.UUIDField()
    meter = models.CharField(max_length=32)
    period_start = models.DateTimeField()
    used = models.BigIntegerField()
    # Of a `last` meter: when what it shows occurred.
    last_at = models.DateTimeField(null=True)
    # How much of `used` is of events that retention has dropped.
    carried = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(used__gte=0), name="usage_total_is_not_negative")
        ]

    def __str__(self) -> str:
        return f"{self.used} {self.meter} of {self.tenant_id}"


class UsageEvent(models.Model):
    """The ledger: what was taken, given back, reported or corrected. Partitioned by month of `recorded_at`.

    A correction's quantity is signed; everybody else's is not negative. `corrects` is the id of the
    event that a refund or a correction changes. `value` is the digest of what a `unique` meter counts.
    `app` and the ids are what caused it, where known (config/cause.py); what changes an event has none.
    """

    class Kind(models.TextChoices):
        CONSUMED = "consumed"
        REFUNDED = "refunded"
        REPORTED = "reported"
        CORRECTED = "corrected"

    pk = models.CompositePrimaryKey("tenant_id", "id", "recorded_at")
    tenant_id = models.UUIDField()
    id = models.UUIDField(default=new_id)
    recorded_at = models.DateTimeField()
    meter = models.CharField(max_length=32)
    key = models.CharField(max_length=200)
    kind = models.CharField(max_length=16, choices=Kind)
    quantity = models.BigIntegerField()
    period_start = models.DateTimeField()
    occurred_at = models.DateTimeField()
    is_late = models.BooleanField(default=False, db_default=False)
    properties: "models.JSONField[dict[str, Any] | None]" = models.JSONField(null=True)
    value = models.UUIDField(null=True)
    corrects = models.UUIDField(null=True)
    reason = models.CharField(max_length=500, blank=True, default="", db_default="")
    app = models.CharField(max_length=32, blank=True, db_default="")
    member_id = models.UUIDField(null=True)
    api_key_id = models.UUIDField(null=True)
    campaign_id = models.UUIDField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(quantity__gte=0) | Q(kind="corrected"),
                name="usage_event_is_not_negative",
            )
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["tenant_id", "meter", "period_start", "id"], name="usage_event_of_period"
            ),
            models.Index(
                fields=["tenant_id", "corrects"],
                condition=Q(corrects__isnull=False),
                name="usage_event_corrects",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.quantity} {self.meter} under {self.key}"


class UsageKey(models.Model):
    """A key counts once, in whatever month it comes again: `digest` is of kind, meter and key.

    A partitioned table cannot have a key without its month, so keys have a table of their own, in
    eight parts by hash, pruned with the events.
    """

    pk = models.CompositePrimaryKey("tenant_id", "digest")
    tenant_id = models.UUIDField()
    digest = models.UUIDField()
    event_id = models.UUIDField()
    recorded_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.digest} of {self.tenant_id}"


class UsageValue(models.Model):
    """What a `unique` meter has seen in a period, as a digest, and in how many events."""

    pk = models.CompositePrimaryKey("tenant_id", "meter", "period_start", "digest")
    tenant_id = models.UUIDField()
    meter = models.CharField(max_length=32)
    period_start = models.DateTimeField()
    digest = models.UUIDField()
    times = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.digest} {self.times} times, of {self.tenant_id}"


class ApiCallMark(models.Model):
    """How far the API calls of one process (`spool`) are folded into UsageTotal.

    `epoch` is that of Redis's counters which admitted them, or empty where Redis was away. `counted` only
    grows, so that folding twice, or late, changes nothing.
    """

    pk = models.CompositePrimaryKey("tenant_id", "period_start", "spool", "epoch")
    tenant_id = models.UUIDField()
    period_start = models.DateTimeField()
    spool = models.CharField(max_length=32)
    epoch = models.CharField(max_length=32, blank=True)
    counted = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.counted} of {self.tenant_id}"


class ApiCallShare(models.Model):
    """A month's API calls that an app served to a caller: `member:<id>`, `api_key:<id>` or ""."""

    pk = models.CompositePrimaryKey("tenant_id", "period_start", "app", "caller")
    tenant_id = models.UUIDField()
    period_start = models.DateTimeField()
    app = models.CharField(max_length=32, blank=True)
    caller = models.CharField(max_length=48, blank=True)
    calls = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.calls} by {self.caller} of {self.tenant_id}"


class Explanation(models.Model):
    """Why one request was refused; `told` is the decision as JSON (quotas/explanations.py).

    `credential` is the caller's: those who may not see all refusals see their own.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant_id = models.UUIDField()
    request_id = models.CharField(max_length=64)
    decided_at = models.DateTimeField()
    code = models.CharField(max_length=64)
    credential = models.CharField(max_length=64, blank=True, db_default="")
    told = models.JSONField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["tenant_id", "request_id"], name="explanation_of_request"),
            models.Index(fields=["tenant_id", "decided_at"], name="explanation_of_tenant"),
            models.Index(
                fields=["tenant_id", "credential", "decided_at"], name="explanation_of_credential"
            ),
            models.Index(fields=["decided_at"], name="explanation_decided_at"),
        ]

    def __str__(self) -> str:
        return f"{self.code} of {self.request_id}"
