# ruff: noqa: DJ001  (what is absent is NULL: several rows may lack a unique key, none may share one)
"""Files on their way into contacts and orders: the import, its waiting rows, its refused rows."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.crm.models.people import EXTERNAL_ID_LENGTH
from config.ids import new_id
from config.personal import Personal
from tenants.querysets import StallModel


class Import(StallModel):
    """A file on its way into contacts and orders. `last_row` says how far; it commits with each batch.

    rows_done + rows_failed + rows_left_out = rows_total once it rests.
    """

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        COMPLETED = "completed"
        COMPLETED_WITH_ERRORS = "completed_with_errors"
        FAILED = "failed"
        CANCELLED = "cancelled"

    class StoppedReason(models.TextChoices):
        QUOTA_EXCEEDED = "quota_exceeded"
        FILE_INVALID = "file_invalid"
        GAVE_UP = "gave_up"
        CANCELLED = "cancelled"

    UNFINISHED = (Status.QUEUED, Status.RUNNING)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    status = models.CharField(max_length=24, choices=Status, default=Status.QUEUED)
    stopped_reason = models.CharField(max_length=24, choices=StoppedReason, blank=True, default="")
    stopped_detail = models.CharField(max_length=500, blank=True, default="")
    file_name = models.CharField(max_length=255)
    file_path = models.CharField(max_length=300)
    file_format = models.CharField(max_length=8)
    columns = models.JSONField(default=list)
    mapping = models.JSONField(default=dict)
    options = models.JSONField(default=dict)
    allow_partial = models.BooleanField(default=False)
    rows_total = models.PositiveIntegerField(default=0)
    rows_done = models.PositiveIntegerField(default=0)
    rows_failed = models.PositiveIntegerField(default=0)
    rows_left_out = models.PositiveIntegerField(default=0)
    contacts_created = models.PositiveIntegerField(default=0)
    contacts_updated = models.PositiveIntegerField(default=0)
    orders_created = models.PositiveIntegerField(default=0)
    last_row = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    staged_at = models.DateTimeField(null=True)
    created_by_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(rows_total__gte=F("rows_done") + F("rows_failed") + F("rows_left_out")),
                name="import_counts_no_row_twice",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["queued", "running"], finished_at__isnull=True)
                | Q(
                    status__in=["completed", "completed_with_errors", "failed", "cancelled"],
                    finished_at__isnull=False,
                ),
                name="import_at_rest_has_finished_at",
            ),
        ]
        indexes = [
            # the sweeper's question, asked of every tenant
            models.Index(
                fields=["heartbeat_at"],
                condition=Q(status__in=["queued", "running"]),
                name="import_unfinished",
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def rows_waiting(self) -> int:
        """Rows that are neither done nor failed."""
        return self.rows_total - self.rows_done - self.rows_failed


class ImportRow(StallModel):
    """A row of a file, checked and waiting to be merged. Gone once its import has finished."""

    pk = models.CompositePrimaryKey("job_id", "row_number")
    job = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="rows", db_index=False)
    row_number = models.PositiveIntegerField()
    external_id = models.CharField(max_length=EXTERNAL_ID_LENGTH, null=True)
    email = models.CharField(max_length=254, null=True)
    contact = models.JSONField()
    order = models.JSONField(null=True)
    occurrence = models.PositiveIntegerField(default=1)
    raw = models.JSONField()

    personal: ClassVar[dict[str, Personal]] = {
        "email": Personal.EMAIL,
        "contact": Personal.OTHER,
        "raw": Personal.OTHER,
    }

    def __str__(self) -> str:
        return f"row {self.row_number}"


class ImportRowError(StallModel):
    """A row that was refused, why, and its cells as they were."""

    pk = models.CompositePrimaryKey("job_id", "row_number")
    job = models.ForeignKey(
        Import, on_delete=models.CASCADE, related_name="row_errors", db_index=False
    )
    row_number = models.PositiveIntegerField()
    reasons = models.JSONField()
    raw = models.JSONField()

    personal: ClassVar[dict[str, Personal]] = {"raw": Personal.OTHER}

    def __str__(self) -> str:
        return f"row {self.row_number}"
