"""What leaves us for a tenant: mails to its people, and webhooks to addresses that it registered."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from config.ids import new_id
from tenants.models.people import Person
from tenants.models.stalls import Tenant
from tenants.models.vault import SealedField

# Opens what was sealed before there was a vault.
_BEFORE = "tenants.outbound.signing.opened_before_the_vault"


class Mail(models.Model):
    """One mail to one person, promised once under `key`; its words are made when it is sent.

    Whoever sends it claims it first by a conditional update. A worker killed in between leaves it
    claimed and unsent: after ten minutes it is tried again, so such a mail may arrive twice, under one
    Message-ID.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="mails")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="mails")
    kind = models.CharField(max_length=64)
    key = models.CharField(max_length=200)
    facts = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now())
    claimed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    objects: ClassVar[models.Manager["Mail"]]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "person", "key"], name="mail_once_per_key")
        ]
        indexes = [
            models.Index(
                fields=["created_at"], condition=Q(sent_at__isnull=True), name="mail_unsent"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class WebhookEndpoint(models.Model):
    """An address of the tenant's that hears of its events. Secrets are sealed, as we must sign with them."""

    class DisabledReason(models.TextChoices):
        BY_HAND = "by_hand"
        FAILING = "failing"
        GONE = "gone"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="webhook_endpoints")
    url = models.CharField(max_length=2_000)
    description = models.CharField(max_length=200, blank=True)
    events = ArrayField(models.CharField(max_length=64))
    sealed_secret = SealedField(before=_BEFORE)
    # After a rotation both secrets sign until then, so that the receiver may change its own in peace.
    sealed_former_secret = SealedField(before=_BEFORE, null=True)
    former_secret_until = models.DateTimeField(null=True)
    disabled_reason = models.CharField(max_length=16, choices=DisabledReason, blank=True)
    disabled_at = models.DateTimeField(null=True)
    # Since when not one delivery has succeeded; null while they do.
    failing_since = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    objects: ClassVar[models.Manager["WebhookEndpoint"]]

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(disabled_reason="", disabled_at=None)
                | (~Q(disabled_reason="") & Q(disabled_at__isnull=False)),
                name="webhook_endpoint_disabled_has_reason",
            )
        ]
        indexes = [models.Index(fields=["tenant", "id"], name="webhook_endpoint_of_tenant")]

    def __str__(self) -> str:
        return self.url

    @property
    def is_enabled(self) -> bool:
        return self.disabled_at is None


class WebhookDelivery(models.Model):
    """One event for one endpoint: the bytes that are signed and sent, until they have arrived.

    Every attempt carries the event's id (`webhook-id`), by which the receiver tells repeats.
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        DELIVERED = "delivered"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant_id = models.UUIDField()
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries"
    )
    event_id = models.UUIDField()
    event = models.CharField(max_length=64)
    body = models.TextField()
    status = models.CharField(max_length=16, choices=Status, default=Status.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    # What the last attempt met: an HTTP status, or the name of what went wrong.
    last_status = models.PositiveSmallIntegerField(null=True)
    last_error = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager["WebhookDelivery"]]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "event_id"], name="webhook_delivery_once_per_event"
            ),
            models.CheckConstraint(
                condition=Q(status="pending", next_attempt_at__isnull=False)
                | (~Q(status="pending") & Q(next_attempt_at=None)),
                name="webhook_delivery_pending_is_due",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant_id", "id"], name="webhook_delivery_of_tenant"),
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(status="pending"),
                name="webhook_delivery_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.pk}"
