"""Tables of a tenant: rows and querysets know under which tenant they came to be.

Querysets are lazy: one built for acme and evaluated for globex would show globex's rows as acme's, and
an object loaded from the one and saved in the other would cross. Both are refused (BuiltElsewhere).
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self, TypeVar
from uuid import UUID

from django.db import models

from config.context import current_tenant
from tenants.engine.operations import refuse_foreign
from tenants.engine.refusals import BuiltElsewhere

Row = TypeVar("Row", bound=models.Model)


def _present() -> UUID | None:
    tenant = current_tenant()
    return tenant.id if tenant else None


def _stamp(rows: Any, tenant_id: UUID | None) -> None:
    rows.query.built_for = tenant_id


class StallQuerySet(models.QuerySet[Row]):
    """Stamps its query; the engine looks at the stamp when the query becomes SQL.

    Built where no tenant is in force (a class attribute), it serves whoever evaluates it.
    """

    def __init__(
        self,
        model: type[Row] | None = None,
        query: Any = None,
        using: str | None = None,
        hints: Any = None,
    ) -> None:
        super().__init__(model, query, using, hints)
        if query is None:
            _stamp(self, _present())
            self._belong_to(hints or {})

    def _add_hints(self, **hints: Any) -> None:
        super()._add_hints(**hints)  # type: ignore[misc]  # Django's own, unknown to its stubs
        self._belong_to(hints)

    def _belong_to(self, hints: Mapping[str, Any]) -> None:
        """Related rows (`contact.orders`, `contact.company`) belong where the row itself came from."""
        built_for = getattr(hints.get("instance"), "built_for", None)
        if built_for is not None:
            _stamp(self, built_for)

    def raw(
        self, raw_query: Any, params: Any = (), translations: Any = None, using: str | None = None
    ) -> "StallRawQuerySet[Row]":
        return StallRawQuerySet(
            raw_query, self.model, params=params, translations=translations, using=using or self.db
        )


class StallRawQuerySet(models.query.RawQuerySet[Row]):
    """Its SQL goes past the compilers, so it looks at its stamp itself."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _stamp(self, _present())

    def iterator(self) -> Iterator[Row]:
        refuse_foreign(self.query)
        yield from super().iterator()


class StallModel(models.Model):
    """A row of a tenant's schema."""

    built_for: UUID | None = None
    objects: ClassVar[Any] = StallQuerySet.as_manager()

    class Meta:
        abstract = True

    @classmethod
    def from_db(cls, *args: Any, **options: Any) -> Self:
        row = super().from_db(*args, **options)
        row.built_for = _present()
        return row

    def save_base(self, *args: Any, **options: Any) -> None:
        """Raises BuiltElsewhere for a row that was loaded under another tenant."""
        if self.built_for not in {None, _present()}:
            raise BuiltElsewhere("A row of another tenant cannot be saved here.")
        super().save_base(*args, **options)
        self.built_for = _present()

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        """Raises BuiltElsewhere for a row that was loaded under another tenant."""
        if self.built_for not in {None, _present()}:
            raise BuiltElsewhere("A row of another tenant cannot be deleted here.")
        return super().delete(*args, **options)


# By it Django follows foreign keys and reads a row anew. Not in Meta: models without one inherit
# that, and a migration would come of it.
StallModel._meta.base_manager_name = "objects"  # noqa: SLF001
