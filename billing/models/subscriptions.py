"""What a tenant has, and pays for."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from billing.models.prices import Provider
from config.ids import new_id
from tenants.models import Tenant


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

    def period_over(self, at: datetime) -> "SubscriptionQuerySet":
        """Those whose billed period ended at `at` or before: it is to be closed."""
        return self.filter(billed_until__lte=at)

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
    # Until when plan, seats and add-ons stand in invoices; null while nothing is billed.
    billed_until = models.DateTimeField(null=True, blank=True)
    catalogue_version = models.PositiveIntegerField(null=True, blank=True)  # null: the present one
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
            models.Index(
                fields=["billed_until"],
                condition=Q(billed_until__isnull=False),
                name="subscription_periods_over",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan} {self.status}"

    @property
    def is_collected(self) -> bool:
        """Whether a provider collects for it: a change of plan must then go through the provider."""
        return bool(self.provider_subscription_id) and self.status in self.COLLECTING
