"""What a tenant has outside of PostgreSQL: files in the default storage, keys in Redis."""

from collections.abc import Iterator
from uuid import UUID

import redis
from django.conf import settings
from django.core.files.storage import default_storage

from tenants.life.journal import Journal

_BATCH = 500


def folder_of(tenant_id: UUID) -> str:
    """Where all of a tenant's files lie, in the default storage."""
    return str(tenant_id)


def files_of(tenant_id: UUID) -> Iterator[str]:
    """The name of each file, in order; names begin with the tenant's folder."""
    yield from _files(folder_of(tenant_id))


def _files(folder: str) -> Iterator[str]:
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in sorted(files):
        yield f"{folder}/{name}"
    for name in sorted(folders):
        yield from _files(f"{folder}/{name}")


def delete_files(tenant_id: UUID, journal: Journal | None = None) -> None:
    """Delete the tenant's files and folders. Harmless twice."""
    names = list(files_of(tenant_id))
    if journal is not None:
        sizes = [default_storage.size(name) for name in names]
        journal.found("files", {"files": len(names), "bytes": sum(sizes)})
    for name in names:
        default_storage.delete(name)
    _delete_folder(folder_of(tenant_id))


def _delete_folder(folder: str) -> None:
    # Storages of objects know no folders: then this finds none.
    try:
        folders, _ = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in folders:
        _delete_folder(f"{folder}/{name}")
    default_storage.delete(folder)


def keys_of(tenant_id: UUID) -> Iterator[bytes]:
    """Every Redis key that names the tenant: counters (`plaza:{<hex>}:…`), and cache (`plaza:{<hex>}:cache:…`)."""
    server = redis.Redis.from_url(settings.REDIS_URL)
    # One pattern for both spellings of an id, with and without hyphens.
    pattern = f"*{'*'.join(str(tenant_id).split('-'))}*"
    try:
        for key in server.scan_iter(match=pattern, count=1_000):
            if tenant_id.hex.encode() in key.replace(b"-", b""):
                yield key
    finally:
        server.close()


def delete_keys(tenant_id: UUID, journal: Journal) -> None:
    """Unlink the tenant's keys. Raises redis.RedisError when Redis is away: run again then."""
    keys = sorted(set(keys_of(tenant_id)))
    journal.found("keys", {"keys": len(keys)})
    server = redis.Redis.from_url(settings.REDIS_URL)
    try:
        for start in range(0, len(keys), _BATCH):
            server.unlink(*keys[start : start + _BATCH])
    finally:
        server.close()
