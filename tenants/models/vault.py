"""What the vault keeps: a data key of each tenant, wrapped; and columns that hold what it has sealed."""

from typing import Any, ClassVar
from uuid import UUID

from django.db import models
from django.db.models.functions import Now

from config.ids import new_id

# What belongs to no tenant (a person's secret) is sealed with the square's data key.
THE_SQUARE = UUID(int=0)


class DataKey(models.Model):
    """A key of AES-256 that seals one tenant's secrets, wrapped by a master key. The highest version seals.

    `master` names the master key that wrapped it. The row goes with its tenant, and whatever it sealed
    can be opened no more, wherever a copy lies.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant_id = models.UUIDField()
    version = models.PositiveIntegerField()
    master = models.CharField(max_length=200, db_index=True)
    wrapped = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[models.Manager["DataKey"]]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "version"], name="data_key_version_of_tenant"
            )
        ]

    def __str__(self) -> str:
        return f"{self.tenant_id} {self.version}"


class SealedField(models.BinaryField[Any, Any]):
    """A column that holds only what `tenants.vault` has sealed for this very row.

    `whose` names the attribute with the tenant's id; None is the square's. `before` is the dotted name
    of what opens older values. Tables with such a column stand in public: rotation goes over all of them.
    """

    def __init__(
        self, *args: Any, whose: str | None = "tenant_id", before: str = "", **options: Any
    ) -> None:
        self.whose, self.before = whose, before
        super().__init__(*args, **options)

    def deconstruct(self) -> Any:
        """For migrations it is the binary column that it is in the database."""
        name, _, args, options = super().deconstruct()
        return name, "django.db.models.BinaryField", args, options
