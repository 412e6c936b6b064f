"""Data keys: one of each tenant seals, its former ones still open; unwrapped they live in memory alone.

Which key seals is kept in the tenant's snapshot, so a rotation holds for the next request; outside of a
request, and of the square, for a minute. What a key id opens never changes, and is kept for ten.
"""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from secrets import token_bytes
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import transaction
from django.db.models import Max

from config.ids import new_id
from config.logs import logger
from tenants.models import THE_SQUARE, DataKey
from tenants.snapshots import snapshot_in_force
from tenants.vault.masters import ring
from tenants.versions import touch

log = logger(__name__)
_KEY_BYTES = 32
_PRESENT_SECONDS, _OPEN_SECONDS = 60.0, 600.0
_MOST = 5_000
_FACT = "vault.data_key"
_ANY_TIME = datetime.min.replace(tzinfo=UTC)  # what is kept here runs out with the snapshot alone


class DataKeyGone(RuntimeError):
    """What was sealed can be opened no more: its data key was destroyed, or is another tenant's."""


@dataclass(frozen=True, slots=True)
class OpenKey:
    """A data key that this process has unwrapped."""

    id: UUID
    tenant_id: UUID
    cipher: AESGCM = field(repr=False)


_open: dict[UUID, tuple[float, OpenKey]] = {}
_present: dict[UUID, tuple[float, UUID]] = {}


def sealing_key(tenant_id: UUID) -> OpenKey:
    """The tenant's present key, made where it has none. No SQL on a warm request. Raises MasterKeyMissing."""
    known = _known_present(tenant_id)
    if known is not None and (found := _recalled(known)) is not None:
        return found
    row = _latest(tenant_id) or add_key(tenant_id=tenant_id)
    key = _unwrapped(row)
    _present[tenant_id] = (time.monotonic() + _PRESENT_SECONDS, row.pk)
    snapshot = snapshot_in_force(tenant_id)
    if snapshot is not None:
        snapshot.keep(_FACT, row.pk)
    return key


def key_with_id(key_id: UUID, *, tenant_id: UUID) -> OpenKey:
    """A key of the tenant's, also a former one. Raises DataKeyGone, MasterKeyMissing, WrappingBroken."""
    found = _recalled(key_id)
    if found is None:
        row = DataKey.objects.filter(pk=key_id, tenant_id=tenant_id).first()
        if row is None:
            raise DataKeyGone(f"The tenant {tenant_id} has no data key {key_id}.")
        found = _unwrapped(row)
    if found.tenant_id != tenant_id:
        raise DataKeyGone(f"The data key {key_id} is another tenant's.")
    return found


def add_key(*, tenant_id: UUID) -> DataKey:
    """A new version, which seals from now on; of two at once both get the one that came first."""
    latest = DataKey.objects.filter(tenant_id=tenant_id).aggregate(found=Max("version"))["found"]
    key_id, master = new_id(), ring().present
    wrapped = master.encrypt(token_bytes(_KEY_BYTES), context=_context(key_id, tenant_id))
    row = DataKey(
        id=key_id,
        tenant_id=tenant_id,
        version=(latest or 0) + 1,
        master=master.name,
        wrapped=wrapped,
    )
    with transaction.atomic():
        DataKey.objects.bulk_create([row], ignore_conflicts=True)
        if tenant_id != THE_SQUARE and latest:
            touch(tenant_id)
    _present.pop(tenant_id, None)
    log.info("data_key.added", extra={"of_tenant_id": str(tenant_id), "version": row.version})
    return DataKey.objects.get(tenant_id=tenant_id, version=row.version)


def unwrap(row: DataKey) -> bytes:
    """The key itself. Raises MasterKeyMissing, WrappingBroken."""
    master = ring().named(row.master)
    return master.decrypt(bytes(row.wrapped), context=_context(row.pk, row.tenant_id))


def wrap_anew(row: DataKey) -> bool:
    """Wrap it with the present master key; False where somebody else has done it meanwhile."""
    master, was = ring().present, row.master
    wrapped = master.encrypt(unwrap(row), context=_context(row.pk, row.tenant_id))
    same = DataKey.objects.filter(pk=row.pk, master=was)
    return bool(same.update(wrapped=wrapped, master=master.name))


def destroy(*, key_ids: list[UUID], created_before: datetime) -> int:
    """Delete these keys: what they sealed can be opened no more. How many those were."""
    gone, _ = DataKey.objects.filter(pk__in=key_ids, created_at__lt=created_before).delete()
    for key_id in key_ids:
        _open.pop(key_id, None)
    return gone


def forget_open_keys() -> None:
    """Let go of every key in memory."""
    _open.clear()
    _present.clear()


def _context(key_id: UUID, tenant_id: UUID) -> dict[str, str]:
    return {"purpose": "plaza.data-key", "key": str(key_id), "tenant": str(tenant_id)}


def _latest(tenant_id: UUID) -> DataKey | None:
    return DataKey.objects.filter(tenant_id=tenant_id).order_by("version").last()


def _known_present(tenant_id: UUID) -> UUID | None:
    snapshot = snapshot_in_force(tenant_id)
    if snapshot is not None:
        kept: UUID | None = snapshot.recall(_FACT, now=_ANY_TIME)
        return kept
    until, key_id = _present.get(tenant_id, (0.0, None))
    return key_id if time.monotonic() < until else None


def _recalled(key_id: UUID) -> OpenKey | None:
    until, key = _open.get(key_id, (0.0, None))
    return key if time.monotonic() < until else None


def _unwrapped(row: DataKey) -> OpenKey:
    if (known := _recalled(row.pk)) is not None:
        return known
    key = OpenKey(row.pk, row.tenant_id, AESGCM(unwrap(row)))
    if len(_open) >= _MOST:
        forget_open_keys()
    _open[row.pk] = (time.monotonic() + _OPEN_SECONDS, key)
    return key
