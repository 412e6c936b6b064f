"""The end of a tenant, and its copies: what is being erased, exported and restored, step by step."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from config.ids import new_id


class Erasure(models.Model):
    """The erasure of a closed tenant, and afterwards the certificate of what went.

    steps: {step: {"counts": {name: number}, "done": bool}}, written as the work goes (tenants/life).
    It outlives the tenant, so it has no foreign key.
    """

    outlives_tenant: ClassVar[bool] = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant_id = models.UUIDField(unique=True)
    slug = models.CharField(max_length=40)
    steps = models.JSONField(default=dict)
    began_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)
    certificate = models.JSONField(default=dict)

    objects: ClassVar[models.Manager["Erasure"]]

    def __str__(self) -> str:
        return self.slug


class Archive(models.Model):
    """One export of a tenant: the file, and the manifest against which a restore is verified."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        COMPLETED = "completed"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant_id = models.UUIDField()
    status = models.CharField(max_length=16, choices=Status, default=Status.QUEUED)
    path = models.CharField(max_length=300, blank=True)
    size_bytes = models.BigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    manifest = models.JSONField(default=dict)
    error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager["Archive"]]

    class Meta:
        indexes = [models.Index(fields=["tenant_id", "created_at"], name="archive_of_tenant")]

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
