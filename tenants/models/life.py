"""The end of a tenant: what is being erased, step by step, and the certificate of it."""

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
