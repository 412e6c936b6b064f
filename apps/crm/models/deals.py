# ruff: noqa: DJ001  (what is absent is NULL: several rows may lack a unique key, none may share one)
"""Deals and the pipelines through whose stages they go."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now

from apps.crm.models.people import EXTERNAL_ID_LENGTH, NAME_LENGTH, Company, Contact
from config.ids import new_id
from tenants.querysets import StallModel


class Pipeline(StallModel):
    """An order of stages; deals of one kind go through one."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    external_id = models.CharField(max_length=EXTERNAL_ID_LENGTH, null=True)
    name = models.CharField(max_length=NAME_LENGTH)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("name"), name="pipeline_once_by_name"),
            models.UniqueConstraint(
                fields=["external_id"],
                condition=Q(external_id__isnull=False),
                name="pipeline_once_by_external_id",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Stage(StallModel):
    """A place in a pipeline. A deal that reaches one that is won or lost is closed."""

    class Kind(models.TextChoices):
        OPEN = "open"
        WON = "won"
        LOST = "lost"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pipeline = models.ForeignKey(
        Pipeline, on_delete=models.CASCADE, related_name="stages", db_index=False
    )
    name = models.CharField(max_length=NAME_LENGTH)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.OPEN)
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ("position",)
        constraints = [
            models.UniqueConstraint("pipeline", Lower("name"), name="stage_once_by_name"),
            models.CheckConstraint(
                condition=Q(kind__in=["open", "won", "lost"]), name="stage_kind_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Deal(StallModel):
    """Something that may be sold: its stage, and what it is worth in minor units."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    external_id = models.CharField(max_length=EXTERNAL_ID_LENGTH, null=True)
    name = models.CharField(max_length=NAME_LENGTH)
    stage = models.ForeignKey(Stage, on_delete=models.RESTRICT, related_name="deals")
    contact = models.ForeignKey(
        Contact, on_delete=models.SET_NULL, null=True, related_name="deals", db_index=False
    )
    company = models.ForeignKey(
        Company, on_delete=models.SET_NULL, null=True, related_name="deals", db_index=False
    )
    amount_minor = models.PositiveBigIntegerField(null=True)
    currency = models.CharField(max_length=3, null=True)
    owner_id = models.UUIDField(null=True)
    closes_on = models.DateField(null=True)
    fields = models.JSONField(default=dict)
    stage_changed_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    archived_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["external_id"],
                condition=Q(external_id__isnull=False),
                name="deal_once_by_external_id",
            ),
            models.CheckConstraint(
                condition=~Q(external_id=""), name="deal_external_id_is_not_empty"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="deal_has_a_name"),
            models.CheckConstraint(
                condition=Q(amount_minor=None, currency=None)
                | Q(amount_minor__isnull=False, currency__regex="^[A-Z]{3}$"),
                name="deal_amount_has_a_currency",
            ),
        ]
        indexes = [
            # ?contact=, ?company=, ?owner_id=, ?search=
            models.Index(
                fields=["contact", "created_at"],
                condition=Q(contact__isnull=False),
                name="deal_of_contact",
            ),
            models.Index(
                fields=["company"], condition=Q(company__isnull=False), name="deal_of_company"
            ),
            models.Index(
                fields=["owner_id"], condition=Q(owner_id__isnull=False), name="deal_by_owner"
            ),
            GinIndex(OpClass(Lower("name"), name="gin_trgm_ops"), name="deal_by_part_of_name"),
        ]

    def __str__(self) -> str:
        return self.name
