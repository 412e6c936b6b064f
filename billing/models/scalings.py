"""What was changed of a tenant's shares by hand."""

from typing import Any

from django.db import models


class Scaling(models.Model):
    """One change of a tenant's shares by hand, and the shares that it led to. Kept for the invoices."""

    pk = models.CompositePrimaryKey("tenant_id", "scaled_at")
    tenant_id = models.UUIDField()
    scaled_at = models.DateTimeField()
    shares: "models.JSONField[dict[str, Any]]" = models.JSONField()

    def __str__(self) -> str:
        return f"{self.tenant_id} at {self.scaled_at}"
