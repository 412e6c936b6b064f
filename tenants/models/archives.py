"""Copies of tenants: exports that people ask for, and restores under a new name, step by step."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from django.db import models
from django.db.models import Q, Sum
from django.db.models.functions import Now

from config.ids import new_id
from tenants.models.people import Person


class ArchiveQuerySet(models.QuerySet["Archive"]):
    def waiting(self) -> "ArchiveQuerySet":
        """Promised, and not made yet."""
        return self.filter(status__in=[Archive.Status.QUEUED, Archive.Status.RUNNING])

    def kept(self, at: datetime) -> "ArchiveQuerySet":
        """Those of which something can still be seen."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=at))

    def sizes(self) -> "models.QuerySet[Archive, tuple[UUID, int]]":
        """(tenant's id, bytes) of the files that lie there."""
        made = self.filter(status=Archive.Status.COMPLETED).values("tenant_id")
        return made.annotate(room=Sum("size_bytes")).values_list("tenant_id", "room")


class Archive(models.Model):
    """One export of a tenant: the file, and the manifest against which a restore is verified.

    While it is made, `heartbeat_at` tells that somebody is at it. Row and file go at `expires_at`.
    """

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        COMPLETED = "completed"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant_id = models.UUIDField()
    requested_by = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, related_name="exports"
    )
    plan = models.CharField(max_length=64, blank=True, db_default="")
    status = models.CharField(max_length=16, choices=Status, default=Status.QUEUED)
    steps_total = models.PositiveIntegerField(db_default=0)
    steps_done = models.PositiveIntegerField(db_default=0)
    attempts = models.PositiveSmallIntegerField(db_default=0)
    heartbeat_at = models.DateTimeField(null=True)
    path = models.CharField(max_length=300, blank=True)
    size_bytes = models.BigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    manifest = models.JSONField(default=dict)
    error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)
    notified_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    objects: ClassVar[ArchiveQuerySet] = ArchiveQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes = [models.Index(fields=["tenant_id", "created_at"], name="archive_of_tenant")]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id"],
                condition=Q(status__in=["queued", "running"]),
                name="archive_one_waits_per_tenant",
            )
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.pk}"


class Restoration(models.Model):
    """A restore of an archive as the new tenant `tenant_id`. Killed, it goes on with the same file and slug.

    `loaded_at` is written in the transaction that loads the rows.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant_id = models.UUIDField(unique=True)
    slug = models.CharField(max_length=40, db_index=True)
    archive_sha256 = models.CharField(max_length=64)
    began_at = models.DateTimeField()
    loaded_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager["Restoration"]]

    def __str__(self) -> str:
        return self.slug
