"""What must be kept: written once, and longer than its tenant."""

from typing import ClassVar

from django.db import models

from config.ids import new_id


class Kept(models.Model):
    """A row of the books. The database refuses to rewrite it, and to delete it before `kept_until`.

    `tenant_id` is no foreign key: an erasure leaves these rows alone for INVOICE_RETENTION_YEARS.
    """

    outlives_tenant: ClassVar[bool] = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant_id = models.UUIDField()
    kept_until = models.DateTimeField()

    class Meta:
        abstract = True
