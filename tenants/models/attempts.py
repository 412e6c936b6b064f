"""How often something was tried that guards identity, where Redis may not have the last word."""

from django.db import models


class AttemptCount(models.Model):
    """Attempts of one key until `ends_at` (tenants/identity/attempts.py). `key` is a hash of all its parts."""

    key = models.CharField(primary_key=True, max_length=64)
    count = models.PositiveIntegerField()
    ends_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.count} until {self.ends_at}"
