"""Briefs, templates and pieces: what is wanted, the mould, and what was made. People are plain ids."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual

from config.ids import new_id
from tenants.querysets import StallModel

LONGEST_TEMPLATE = 100_000
LONGEST_PIECE = 1_000_000
LONGEST_SUBJECT = 255
_LANGUAGE = r"^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$"


class Channel(models.TextChoices):
    """Where a piece appears; the limits of each are in channels.py."""

    EMAIL = "email"
    SMS = "sms"
    SOCIAL = "social"
    SEARCH = "search"
    DISPLAY = "display"
    VIDEO = "video"
    WEB = "web"


class Kind(models.TextChoices):
    """What a text is: the kind of a template, and the `type` that is asked to be generated."""

    TEXT = "text"
    EMAIL = "email"
    SOCIAL = "social"
    LANDING_PAGE = "landing_page"


class ReviewStatus(models.TextChoices):
    """The states of what is approved before it is used; moved by services/review.py."""

    DRAFT = "draft"
    APPROVED = "approved"
    ARCHIVED = "archived"


class Brief(StallModel):
    """What is to be said, to whom and how. Nothing is made from it before it is approved."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=200, blank=True, default="")
    objective = models.CharField(max_length=2000)
    audience = models.CharField(max_length=2000, blank=True, default="")
    tone = models.CharField(max_length=100, blank=True, default="")
    guidelines = models.TextField(blank=True, default="")
    languages = ArrayField(models.CharField(max_length=16), default=list, blank=True)
    channels = ArrayField(models.CharField(max_length=16), default=list, blank=True)
    status = models.CharField(max_length=16, choices=ReviewStatus, default=ReviewStatus.DRAFT)
    approved_by_id = models.UUIDField(null=True, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)
    created_by_id = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(objective__regex=r"\S"), name="brief_has_objective"),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "approved", "archived"]),
                name="brief_status_is_known",
            ),
            models.CheckConstraint(
                condition=~Q(status="approved", approved_at=None), name="brief_approved_has_moment"
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.objective[:80]


class Template(StallModel):
    """A text with `{{ variables }}`, all of them declared (substitution.py is the language)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=16, choices=Kind)
    subject = models.CharField(max_length=LONGEST_SUBJECT, blank=True, default="")
    body = models.TextField()
    variables = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    created_by_id = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(name__regex=r"\S"), name="template_has_name"),
            models.CheckConstraint(
                condition=Q(kind__in=["text", "email", "social", "landing_page"]),
                name="template_kind_is_known",
            ),
            models.CheckConstraint(
                condition=~Q(kind="email", subject=""), name="template_email_has_subject"
            ),
            models.CheckConstraint(
                condition=LessThanOrEqual(Length("body"), LONGEST_TEMPLATE),
                name="template_body_is_bounded",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Piece(StallModel):
    """One finished text for one channel in one language. `version` grows with each change of it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    brief = models.ForeignKey(
        Brief,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="pieces",
        db_index=False,
    )
    template = models.ForeignKey(
        Template, null=True, blank=True, on_delete=models.SET_NULL, related_name="pieces",
        db_index=False,
    )  # fmt: skip
    channel = models.CharField(max_length=16, choices=Channel)
    language = models.CharField(max_length=16)
    title = models.CharField(max_length=LONGEST_SUBJECT, blank=True, default="")
    body = models.TextField()
    status = models.CharField(max_length=16, choices=ReviewStatus, default=ReviewStatus.DRAFT)
    version = models.PositiveIntegerField(default=1)
    engine = models.CharField(max_length=40, blank=True, default="")
    approved_by_id = models.UUIDField(null=True, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)
    created_by_id = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(body__regex=r"\S"), name="piece_has_body"),
            models.CheckConstraint(
                condition=LessThanOrEqual(Length("body"), LONGEST_PIECE),
                name="piece_body_is_bounded",
            ),
            models.CheckConstraint(
                condition=Q(
                    channel__in=["email", "sms", "social", "search", "display", "video", "web"]
                ),
                name="piece_channel_is_known",
            ),
            models.CheckConstraint(
                condition=Q(language__regex=_LANGUAGE), name="piece_language_is_a_code"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "approved", "archived"]),
                name="piece_status_is_known",
            ),
            models.CheckConstraint(
                condition=~Q(status="approved", approved_at=None), name="piece_approved_has_moment"
            ),
            models.CheckConstraint(
                condition=Q(version__gte=1), name="piece_version_counts_from_one"
            ),
        ]
        indexes = [
            models.Index(fields=["status", "id"], name="piece_by_status"),
            # Lists of a brief's or a template's pieces, and the check before a brief is deleted.
            models.Index(
                fields=["brief", "id"], condition=Q(brief__isnull=False), name="piece_of_brief"
            ),
            models.Index(
                fields=["template", "id"],
                condition=Q(template__isnull=False),
                name="piece_of_template",
            ),
        ]

    def __str__(self) -> str:
        return self.title or f"{self.channel} {self.language}"
