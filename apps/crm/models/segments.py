"""Segments: who fits a rule, kept as rows that a change of a contact moves; and lists made by hand."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now

from apps.crm.models.people import EXTERNAL_ID_LENGTH, NAME_LENGTH, Contact
from config.ids import new_id
from tenants.querysets import StallModel


class Segment(StallModel):
    """Contacts that fit `rule` (dynamic), or that somebody put in (static).

    `filled_at` None: the rule is new or changed, and everybody is yet to be looked at. `looked_on` is the day
    (UTC) up to which relative dates of the rule are reckoned; None where it has none.
    """

    class Kind(models.TextChoices):
        DYNAMIC = "dynamic"
        STATIC = "static"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    external_id = models.CharField(max_length=EXTERNAL_ID_LENGTH, null=True)  # noqa: DJ001 (several may lack it)
    name = models.CharField(max_length=NAME_LENGTH)
    kind = models.CharField(max_length=16, choices=Kind)
    rule = models.JSONField(null=True)
    # The segments that the rule names.
    uses = models.JSONField(default=list)
    # Of a snapshot: which segment it was taken of.
    taken_of_id = models.UUIDField(null=True)
    filled_at = models.DateTimeField(null=True)
    looked_on = models.DateField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("name"), name="segment_once_by_name"),
            models.UniqueConstraint(
                fields=["external_id"],
                condition=Q(external_id__isnull=False),
                name="segment_once_by_external_id",
            ),
            models.CheckConstraint(
                condition=Q(kind="dynamic", rule__isnull=False)
                | Q(kind="static", rule__isnull=True),
                name="segment_has_a_rule_or_is_static",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SegmentMember(StallModel):
    """That a contact is in a segment, and since when."""

    pk = models.CompositePrimaryKey("segment_id", "contact_id")
    segment = models.ForeignKey(
        Segment, on_delete=models.CASCADE, related_name="members", db_index=False
    )
    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, related_name="segment_members", db_index=False
    )
    entered_at = models.DateTimeField()

    class Meta:
        indexes = [
            # a contact's segments; rules that name a segment
            models.Index(fields=["contact", "segment"], name="segment_member_by_contact"),
        ]

    def __str__(self) -> str:
        return f"{self.segment_id} {self.contact_id}"


class SegmentChange(StallModel):
    """That a contact has changed, and that segments have yet to look at it. Rows are added and taken, never changed.

    Not unique by contact: a row that is already there may be taken by a look that does not see this change yet.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    contact_id = models.UUIDField()

    def __str__(self) -> str:
        return str(self.contact_id)
