"""What contacts allowed and withdrew: every word is kept."""

from django.db import models
from django.db.models import Q

from apps.crm.models.people import Contact
from config.ids import new_id
from tenants.querysets import StallModel


class Consent(StallModel):
    """What a contact allowed or withdrew, when, and how we know. History: the latest of channel and purpose counts."""

    class Channel(models.TextChoices):
        EMAIL = "email"
        SMS = "sms"
        WHATSAPP = "whatsapp"
        PHONE = "phone"
        PUSH = "push"

    class Purpose(models.TextChoices):
        MARKETING = "marketing"
        TRANSACTIONAL = "transactional"
        PROFILING = "profiling"
        SALE = "sale"

    class Status(models.TextChoices):
        GRANTED = "granted"
        PENDING = "pending"
        WITHDRAWN = "withdrawn"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, related_name="consents", db_index=False
    )
    channel = models.CharField(max_length=16, choices=Channel)
    purpose = models.CharField(max_length=16, choices=Purpose)
    status = models.CharField(max_length=16, choices=Status)
    source = models.CharField(max_length=200)
    # What shows that they said so: a form's wording, a recording, a double opt-in's id.
    proof = models.CharField(max_length=2_000, blank=True, default="", db_default="")
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(channel__in=["email", "sms", "whatsapp", "phone", "push"])
                & Q(purpose__in=["marketing", "transactional", "profiling", "sale"])
                & Q(status__in=["granted", "pending", "withdrawn"]),
                name="consent_words_are_known",
            )
        ]
        indexes = [
            # the latest word on a channel and purpose; a contact's history
            models.Index(
                fields=["contact", "channel", "purpose", "-recorded_at", "-id"],
                name="consent_latest",
            )
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.purpose} {self.status}"
