"""Campaigns and the history of their states. People are plain ids: they live in public."""

from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q

from config.ids import new_id
from tenants.querysets import StallModel, StallQuerySet


class CampaignQuerySet(StallQuerySet["Campaign"]):
    def due(self, at: datetime) -> "CampaignQuerySet":
        """Scheduled ones whose start has come and whose end has not."""
        return self._scheduled_before(at).exclude(ends_at__lte=at)

    def missed(self, at: datetime) -> "CampaignQuerySet":
        """Scheduled ones whose whole window passed before anybody could start them."""
        return self._scheduled_before(at).filter(ends_at__lte=at)

    def over(self, at: datetime) -> "CampaignQuerySet":
        """Begun ones, running or paused, whose end has come."""
        return self.filter(status__in=Campaign.BEGUN, ends_at__lte=at)

    def _scheduled_before(self, at: datetime) -> "CampaignQuerySet":
        return self.filter(status=Campaign.Status.SCHEDULED, starts_at__lte=at)


class Campaign(StallModel):
    """Work on one channel with a budget and a window. What it says is frozen once it is active."""

    class Status(models.TextChoices):
        DRAFT = "draft"
        SCHEDULED = "scheduled"
        ACTIVE = "active"
        PAUSED = "paused"
        COMPLETED = "completed"
        CANCELLED = "cancelled"

    class Type(models.TextChoices):
        SEARCH = "search"
        DISPLAY = "display"
        SOCIAL = "social"
        EMAIL = "email"
        SMS = "sms"
        VIDEO = "video"

    BEGUN = (Status.ACTIVE, Status.PAUSED)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="")
    type = models.CharField(max_length=16, choices=Type)
    status = models.CharField(max_length=16, choices=Status, default=Status.DRAFT)
    budget_minor = models.PositiveBigIntegerField()
    budget_currency = models.CharField(max_length=3)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    target_audience = models.JSONField(default=dict, blank=True)
    created_by_id = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects: ClassVar[Any] = CampaignQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(name__regex=r"\S"), name="campaign_has_name"),
            models.CheckConstraint(
                condition=Q(type__in=["search", "display", "social", "email", "sms", "video"]),
                name="campaign_type_is_known",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "draft",
                        "scheduled",
                        "active",
                        "paused",
                        "completed",
                        "cancelled",
                    ]
                ),
                name="campaign_status_is_known",
            ),
            models.CheckConstraint(
                condition=Q(budget_minor__gt=0), name="campaign_budget_is_positive"
            ),
            models.CheckConstraint(
                condition=Q(budget_currency__regex=r"^[A-Z]{3}$"),
                name="campaign_currency_is_a_code",
            ),
            models.CheckConstraint(
                condition=Q(starts_at=None) | Q(ends_at=None) | Q(ends_at__gt=F("starts_at")),
                name="campaign_ends_after_start",
            ),
            models.CheckConstraint(
                condition=~Q(
                    status__in=["scheduled", "active", "paused", "completed"], starts_at=None
                ),
                name="campaign_that_runs_has_start",
            ),
        ]
        # A tenant has thousands of campaigns, not millions: search and the other orders read them all.
        indexes = [
            models.Index(fields=["status", "id"], name="campaign_by_status"),
            models.Index(
                fields=["starts_at"], condition=Q(status="scheduled"), name="campaign_due"
            ),
            models.Index(
                fields=["ends_at"],
                condition=Q(status__in=["active", "paused"]),
                name="campaign_over",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CampaignTransition(StallModel):
    """One change of state. `by_id` is the person; None is an API key or the clock, which says so in `reason`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="transitions", db_index=False
    )
    from_status = models.CharField(max_length=16, choices=Campaign.Status)
    to_status = models.CharField(max_length=16, choices=Campaign.Status)
    by_id = models.UUIDField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True, default="")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(from_status=F("to_status")), name="campaign_transition_changes_status"
            )
        ]
        indexes = [models.Index(fields=["campaign", "id"], name="campaign_transition_history")]

    def __str__(self) -> str:
        return f"{self.from_status} → {self.to_status}"
