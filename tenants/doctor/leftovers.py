"""What lies outside PostgreSQL under a tenant's id: files and Redis keys of tenants that are gone."""

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from uuid import UUID

import redis
from django.conf import settings
from django.core.files.storage import default_storage

from tenants.doctor.findings import Fault, Patient

# `plaza:{<hex>}:…` are counters and what the cache keeps of a tenant.
_KEY_OF_TENANT = re.compile(rb"(?:\{|\bt_)([0-9a-f]{32})(?:\}|:|$)")
_SCANNED_AT_ONCE = 1_000


def files(patient: Patient) -> Iterator[Fault]:
    """Folders of the storage are named by tenants' ids."""
    folders, _ = default_storage.listdir("") if default_storage.exists("") else ([], [])
    ids = {UUID(name): name for name in folders if _is_uuid(name)}
    known, erased = _known(patient), _erased(patient)
    for tenant_id in sorted(set(ids) - known):
        folder = ids[tenant_id]
        what = f"The files in {folder}/ belong to no tenant."
        if tenant_id in erased:
            mend = partial(_remove, folder=folder)
            yield Fault(f"{what} It was erased.", f"Delete {folder}/", tenant_id, mend)
        else:
            # Of a tenant newer than the copy from which the database was restored?
            yield Fault(what, f"Look into it, then delete {folder}/", tenant_id)


def redis_keys(patient: Patient) -> Iterator[Fault]:
    """One walk over the server's keys. They can be made again, so dropping them is safe."""
    known = _known(patient)
    found: defaultdict[UUID, list[bytes]] = defaultdict(list)
    with redis.Redis.from_url(settings.REDIS_URL) as server:
        for key in server.scan_iter(count=_SCANNED_AT_ONCE):
            match = _KEY_OF_TENANT.search(key)
            if match and (tenant_id := UUID(match[1].decode())) not in known:
                found[tenant_id].append(key)
    for tenant_id in sorted(found):
        keys = found[tenant_id]
        yield Fault(
            f"Redis holds {len(keys)} keys of a tenant that is gone, {keys[0].decode()} for one.",
            f"UNLINK every key with {tenant_id.hex} in its name",
            tenant_id,
            partial(_unlink, keys=keys),
        )


def _known(patient: Patient) -> set[UUID]:
    return {row[0] for row in patient.ask_of_stalls("SELECT id FROM stalls")}


def _erased(patient: Patient) -> set[UUID]:
    rows = patient.ask("SELECT tenant_id FROM public.tenants_erasure WHERE finished_at IS NOT NULL")
    return {row[0] for row in rows}


def _remove(patient: Patient, *, folder: str) -> None:
    """Delete a folder of the storage, deepest first; what is gone already does not matter."""
    folders, names = default_storage.listdir(folder)
    for inner in folders:
        _remove(patient, folder=f"{folder}/{inner}")
    for name in names:
        default_storage.delete(f"{folder}/{name}")
    default_storage.delete(folder)


def _unlink(patient: Patient, *, keys: list[bytes]) -> None:
    with redis.Redis.from_url(settings.REDIS_URL) as server:
        server.unlink(*keys)


def _is_uuid(name: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", name) is not None
