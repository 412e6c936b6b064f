"""The versions of the catalogue that were ever for sale."""

from typing import Any

from django.db import models


class CatalogueVersion(models.Model):
    """One version as `plans.toml` said it, kept for ever: old subscribers are billed by theirs."""

    version = models.PositiveIntegerField(primary_key=True)
    contents: "models.JSONField[dict[str, Any]]" = models.JSONField()
    stored_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"version {self.version}"
