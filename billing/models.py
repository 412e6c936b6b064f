"""Money's own tables, in public: subscriptions, prices at the providers, and the inbox of webhooks."""

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from config.ids import new_id
from tenants.models import Tenant


class Provider(models.TextChoices):
    """Who collects."""

    STRIPE = "stripe"
    PAYPAL = "paypal"


class ProviderPrice(models.Model):
    """A catalogue price as a provider knows it. Superseded ones stay: old subscribers pay them on."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    provider = models.CharField(max_length=16, choices=Provider)
    plan = models.CharField(max_length=32)
    interval = models.CharField(max_length=8)
    currency = models.CharField(max_length=3)
    amount_minor = models.PositiveBigIntegerField()
    product_id = models.CharField(max_length=255)
    price_id = models.CharField(max_length=255)
    is_current = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "price_id"], name="provider_price_once_per_provider"
            ),
            models.UniqueConstraint(
                fields=["provider", "plan", "currency", "interval"],
                condition=Q(is_current=True),
                name="provider_price_one_is_current",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.plan} {self.currency} {self.interval}"


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    def trials_over(self, at: datetime) -> "SubscriptionQuerySet":
        """Trials of ours that ended at `at` or before; a provider's own trial ends at the provider.

        The demo's tenants keep their plans: nobody could pay for them.
        """
        return self.filter(
            status=Subscription.Status.TRIALING,
            provider_subscription_id="",
            trial_ends_at__lte=at,
            tenant__is_demo=False,
        )

    def grace_over(self, at: datetime) -> "SubscriptionQuerySet":
        return self.filter(status=Subscription.Status.PAST_DUE, grace_ends_at__lte=at)


class Subscription(models.Model):
    """What a tenant has, and pays for. `plan` is always the plan whose entitlements are granted."""

    class Status(models.TextChoices):
        TRIALING = "trialing"
        ACTIVE = "active"
        PAST_DUE = "past_due"
        PAUSED = "paused"
        CANCELLED = "cancelled"
        EXPIRED = "expired"

    # In these states nothing is paid for, so the tenant has the free plan.
    WITHOUT_PLAN = (Status.PAUSED, Status.CANCELLED, Status.EXPIRED)
    # In these states a payment provider is still collecting, or will again.
    COLLECTING = (Status.TRIALING, Status.ACTIVE, Status.PAST_DUE, Status.PAUSED)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, related_name="subscription")
    plan = models.CharField(max_length=32)
    status = models.CharField(max_length=16, choices=Status)
    pending_plan = models.CharField(max_length=32, blank=True)
    interval = models.CharField(max_length=8, default="month")
    currency = models.CharField(max_length=3, default="USD")
    trial_ends_at = models.DateTimeField(null=True, blank=True)
    anchored_at = models.DateTimeField(null=True, blank=True)  # of billing periods
    period_starts_at = models.DateTimeField(null=True, blank=True)
    period_ends_at = models.DateTimeField(null=True, blank=True)
    cancels_at_period_end = models.BooleanField(default=False)
    grace_ends_at = models.DateTimeField(null=True, blank=True)
    provider = models.CharField(max_length=16, choices=Provider, blank=True)
    provider_customer_id = models.CharField(max_length=255, blank=True)
    provider_subscription_id = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(auto_now=True)

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(status__in=["paused", "cancelled", "expired"]) | Q(plan="free"),
                name="subscription_unpaid_is_free",
            ),
            models.CheckConstraint(
                condition=~Q(status="trialing", trial_ends_at=None),
                name="subscription_trial_has_end",
            ),
            models.CheckConstraint(
                condition=Q(status="past_due", grace_ends_at__isnull=False)
                | (~Q(status="past_due") & Q(grace_ends_at=None)),
                name="subscription_grace_while_past_due",
            ),
            models.CheckConstraint(
                # Spelled out: a comparison with NULL is neither true nor false, and passes.
                condition=Q(period_starts_at=None, period_ends_at=None)
                | Q(
                    period_starts_at__isnull=False,
                    period_ends_at__isnull=False,
                    period_ends_at__gt=F("period_starts_at"),
                ),
                name="subscription_period_has_length",
            ),
            models.CheckConstraint(
                condition=Q(provider_subscription_id="") | ~Q(provider=""),
                name="subscription_names_its_provider",
            ),
            models.UniqueConstraint(
                fields=["provider", "provider_subscription_id"],
                condition=~Q(provider_subscription_id=""),
                name="subscription_once_per_provider",
            ),
            models.UniqueConstraint(
                fields=["provider", "provider_customer_id"],
                condition=~Q(provider_customer_id=""),
                name="subscription_customer_of_one_tenant",
            ),
        ]
        indexes = [
            models.Index(
                fields=["trial_ends_at"], condition=Q(status="trialing"), name="subscription_trials"
            ),
            models.Index(
                fields=["grace_ends_at"], condition=Q(status="past_due"), name="subscription_graces"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan} {self.status}"

    @property
    def is_collected(self) -> bool:
        """Whether a provider collects for it: a change of plan must then go through the provider."""
        return bool(self.provider_subscription_id) and self.status in self.COLLECTING


class WebhookEventQuerySet(models.QuerySet["WebhookEvent"]):
    def due(self, at: datetime) -> "WebhookEventQuerySet":
        """Events to be tried (again) at `at`."""
        return self.filter(next_attempt_at__lte=at)


class WebhookEvent(models.Model):
    """The inbox: a verified event, kept once under the provider's id, until it is handled."""

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
            models.UniqueConstraint(
                fields=["provider", "provider_event_id"], name="webhook_event_once"
            ),
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


class Scaling(models.Model):
    """One change of a tenant's shares by hand, and the shares that it led to. Kept for the invoices."""

    pk = models.CompositePrimaryKey("tenant_id", "scaled_at")
    tenant_id = models.UUIDField()
    scaled_at = models.DateTimeField()
    shares: "models.JSONField[dict[str, Any]]" = models.JSONField()

    def __str__(self) -> str:
        return f"{self.tenant_id} at {self.scaled_at}"
