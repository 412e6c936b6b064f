"""What makes a tenant's schema in milliseconds: the template's SQL, and schemas made ahead of need."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from config.ids import new_id


class Template(models.Model):
    """The template schema rendered as SQL, without the name of any schema; one row for each version."""

    version = models.CharField(primary_key=True, max_length=64)
    sql = models.TextField()
    tables = ArrayField(models.CharField(max_length=63))
    made_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[models.Manager["Template"]]

    def __str__(self) -> str:
        return self.version


class ReadySchema(models.Model):
    """An empty schema with its role, waiting for a sign-up: its `id` becomes the tenant's.

    Claimed by updating this one row (`claimed_at`), and deleted when the tenant's row is written.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.CharField(max_length=64)
    made_at = models.DateTimeField(db_default=Now())
    claimed_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager["ReadySchema"]]

    class Meta:
        indexes = [
            models.Index(
                fields=["made_at"],
                condition=Q(claimed_at__isnull=True),
                name="ready_schema_unclaimed",
            )
        ]

    def __str__(self) -> str:
        return self.schema_name

    @property
    def schema_name(self) -> str:
        return f"t_{self.id.hex}"
