"""Rows that stand in a tenant's snapshot: whoever changes one changes the tenant's version with it."""

from collections.abc import Iterable
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from django.db import models, router, transaction

from tenants.versions import touch

Row = TypeVar("Row", bound="VersionedModel")


class TenantVersion(models.Model):
    """Which state of a tenant is in force: a new opaque token with each change (tenants/versions.py)."""

    tenant_id = models.UUIDField(primary_key=True)
    token = models.CharField(max_length=32)
    changed_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.token} of {self.tenant_id}"


class VersionedQuerySet(models.QuerySet[Row]):
    """Changes of many rows at once; those of one row are VersionedModel's."""

    def update(self, **changes: Any) -> int:
        if not self.model.is_versioned(changes):
            return super().update(**changes)
        with transaction.atomic(using=router.db_for_write(self.model)):
            touch(*self.model.tenants_of(self))
            return super().update(**changes)

    update.alters_data = True  # type: ignore[attr-defined]

    def delete(self) -> tuple[int, dict[str, int]]:
        with transaction.atomic(using=router.db_for_write(self.model)):
            touch(*self.model.tenants_of(self))
            return super().delete()

    delete.alters_data = True  # type: ignore[attr-defined]

    def bulk_create(self, objs: Iterable[Row], *args: Any, **options: Any) -> list[Row]:
        rows = list(objs)
        if not self.model.versioned_from_birth:
            return super().bulk_create(rows, *args, **options)
        with transaction.atomic(using=router.db_for_write(self.model)):
            touch(*(tenant_id for row in rows for tenant_id in row.tenants()))
            return super().bulk_create(rows, *args, **options)


class VersionedModel(models.Model):
    """A row that a tenant's snapshot holds. A write of it holds for the very next request.

    `unversioned` are columns that no snapshot reads, so that writing them alone changes no version.
    `versioned_from_birth`: a new row changes what a snapshot says (a grant); where a snapshot holds only
    what was found (a key), a new row changes nothing that is known.
    """

    unversioned: ClassVar[frozenset[str]] = frozenset()
    versioned_from_birth: ClassVar[bool] = False

    class Meta:
        abstract = True

    def save(self, *args: Any, **options: Any) -> None:
        fields = options.get("update_fields")
        is_news = self.versioned_from_birth if self._state.adding else True
        if not is_news or (fields is not None and not self.is_versioned(fields)):
            super().save(*args, **options)
            return
        with transaction.atomic(using=router.db_for_write(type(self))):
            touch(*self.tenants())
            super().save(*args, **options)

    save.alters_data = True  # type: ignore[attr-defined]

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic(using=router.db_for_write(type(self))):
            touch(*self.tenants())
            return super().delete(*args, **options)

    delete.alters_data = True  # type: ignore[attr-defined]

    @classmethod
    def tenants_of(cls, rows: "models.QuerySet[Any]") -> list[UUID]:
        """The tenants in whose snapshots these rows stand."""
        return list(rows.order_by().values_list("tenant_id", flat=True).distinct())

    def tenants(self) -> list[UUID]:
        """Those of this row; for a new one too."""
        return [self.tenant_id]  # type: ignore[attr-defined]

    @classmethod
    def is_versioned(cls, fields: Iterable[str]) -> bool:
        return not set(fields) <= cls.unversioned
