"""Requests that a law gives to people: what was asked, by when it must be answered, and what came of it."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from config.ids import new_id
from config.personal import Personal
from tenants.querysets import StallModel


class PrivacyRequest(StallModel):
    """Somebody's request under a law. `due_on` is the last day (UTC) on which it may be answered.

    `contact_id` is no foreign key: the request outlives the contact that it had erased. `subject` (an
    e-mail, a name) is emptied then.
    """

    class Law(models.TextChoices):
        GDPR = "gdpr"
        CCPA = "ccpa"
        PIPEDA = "pipeda"

    class Kind(models.TextChoices):
        ACCESS = "access"
        ERASE = "erase"
        CORRECT = "correct"
        RESTRICT = "restrict"
        PORTABILITY = "portability"
        DO_NOT_SELL = "do_not_sell"

    class Status(models.TextChoices):
        OPEN = "open"
        COMPLETED = "completed"
        REFUSED = "refused"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    law = models.CharField(max_length=16, choices=Law)
    kind = models.CharField(max_length=16, choices=Kind)
    status = models.CharField(max_length=16, choices=Status, default=Status.OPEN)
    contact_id = models.UUIDField(null=True)
    subject = models.CharField(max_length=254, blank=True, default="")
    note = models.CharField(max_length=1_000, blank=True, default="")
    received_on = models.DateField()
    due_on = models.DateField()
    extended_reason = models.CharField(max_length=1_000, blank=True, default="")
    closed_at = models.DateTimeField(null=True)
    closed_by_id = models.UUIDField(null=True)
    outcome = models.CharField(max_length=1_000, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())

    personal: ClassVar[dict[str, Personal]] = {
        "subject": Personal.EMAIL,
        "note": Personal.OTHER,
        "outcome": Personal.OTHER,
    }

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status="open", closed_at=None)
                | (~Q(status="open") & Q(closed_at__isnull=False)),
                name="privacy_request_closed_has_closed_at",
            ),
            models.CheckConstraint(
                condition=~Q(status="refused", outcome=""),
                name="privacy_request_refused_has_reason",
            ),
        ]
        indexes = [
            # the reminder's question; ?status=open
            models.Index(
                fields=["due_on"], condition=Q(status="open"), name="privacy_request_open"
            ),
            models.Index(
                fields=["contact_id"],
                condition=Q(contact_id__isnull=False),
                name="privacy_request_of_contact",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.law} {self.kind} {self.status}"
