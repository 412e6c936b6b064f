"""Rotate keys without a pause: wrap data keys anew, add new ones, seal values anew, drop what is used no more.

Each step goes in batches, finds what is left to do by itself, and so goes on after a kill. Whoever reads
meanwhile finds the old or the new value, and both open.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import models, transaction

from config.logs import logger
from tenants.models import DataKey, SealedField
from tenants.vault.data_keys import add_key, destroy, wrap_anew
from tenants.vault.masters import ring
from tenants.vault.sealing import key_id_of, open_of, seal_for

log = logger(__name__)
_BATCH = 500
# A process may seal with a former key for a minute more, in a transaction that takes a while.
_GRACE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of public that holds sealed values."""

    model: type[models.Model]
    name: str


def sealed_columns() -> list[SealedColumn]:
    """All of the installed packages, by table and column."""
    found = [
        SealedColumn(model, field.name)
        for model in apps.get_models()
        for field in model._meta.get_fields()  # noqa: SLF001 - Django's documented way
        if isinstance(field, SealedField)
    ]
    return sorted(found, key=lambda each: (each.model.__name__, each.name))


def wrap_all_anew() -> int:
    """Bring every data key under the present master key; how many that were. Values are not touched."""
    behind = DataKey.objects.exclude(master=ring().present.name).order_by("pk")
    changed = sum(wrap_anew(row) for row in behind.iterator(chunk_size=_BATCH))
    if changed:
        log.info("data_keys.wrapped_anew", extra={"count": changed})
    return changed


def rotate(*, tenant_id: UUID | None = None) -> int:
    """A new data key for the tenant, or for everybody who has one; how many were added."""
    keys = DataKey.objects.order_by("tenant_id").values_list("tenant_id", flat=True).distinct()
    whose = [*keys] if tenant_id is None else [tenant_id]
    for each in whose:
        add_key(tenant_id=each)
    return len(whose)


def seal_all_anew() -> int:
    """Seal with its tenant's present key whatever an older one has sealed; how many values."""
    present = _present_keys()
    changed = sum(_sealed_anew(column, present) for column in sealed_columns())
    if changed:
        log.info("values.sealed_anew", extra={"count": changed})
    return changed


def drop_unused_keys(*, now: datetime) -> int:
    """Destroy data keys that a newer one has replaced an hour ago, and that seal nothing any more."""
    present = set(_present_keys().values())
    used = {key for column in sealed_columns() for _, key in _rows(column)}
    newest = DataKey.objects.filter(pk__in=present, created_at__lt=now - _GRACE)
    replaced = DataKey.objects.filter(tenant_id__in=newest.values("tenant_id"))
    unused = [key for key in replaced.values_list("pk", flat=True) if key not in used | present]
    return destroy(key_ids=unused, created_before=now - _GRACE)


def _present_keys() -> dict[UUID, UUID]:
    """{tenant's id: id of the key that seals}."""
    rows = DataKey.objects.order_by("version").values_list("tenant_id", "pk")
    return dict(rows)


def _rows(column: SealedColumn) -> Iterator[tuple[Any, UUID | None]]:
    """(row's id, id of the data key of what it holds)."""
    held = column.model._default_manager.exclude(**{column.name: None}).order_by("pk")  # noqa: SLF001
    for pk, sealed in held.values_list("pk", column.name).iterator(chunk_size=_BATCH):
        yield pk, key_id_of(bytes(sealed))


def _sealed_anew(column: SealedColumn, present: dict[UUID, UUID]) -> int:
    latest = set(present.values())
    behind = (pk for pk, key in _rows(column) if key not in latest)
    changed = 0
    while batch := [*islice(behind, _BATCH)]:
        changed += _seal_batch(column, batch)
    return changed


@transaction.atomic
def _seal_batch(column: SealedColumn, ids: list[Any]) -> int:
    """Locked, so that a secret which is being replaced at this moment is not put back."""
    rows = column.model._default_manager.select_for_update().filter(pk__in=ids)  # noqa: SLF001
    changed = 0
    for row in rows.order_by("pk"):
        if getattr(row, column.name) is None:
            continue
        sealed = seal_for(row, column.name, open_of(row, column.name))
        changed += rows.filter(pk=row.pk).update(**{column.name: sealed})
    return changed
