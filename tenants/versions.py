"""Which state of a tenant is in force, for every process and without polling.

A tenant's state (status, hosts, people, keys, grants) has a version: an opaque token in PostgreSQL,
and the same in Redis, where the gate's script compares it with that of the process's snapshot. A
change marks the version pending in Redis, commits, and publishes the new token. So a snapshot is used
only while its token is Redis's own:

- Pending, missing, another one: the reader goes to PostgreSQL (`settled`). A token whose row nobody
  holds locked is in force and is put into Redis again; one whose row is locked is about to change, and
  what was read of that tenant then serves one request.
- Whoever changes a tenant takes that lock as the last thing before the commit, before the mark, so it
  waits for nobody while others wait for it, and no reader can find the mark without the lock.
- While Redis is away every request reads PostgreSQL. A process that met another life of Redis forgets
  its snapshots, for it may have come back with tokens of before (tenants/snapshots.py).
- A Redis that stands still takes no mark and breaks no connection. So the writer waits for it longer
  than any process trusts its snapshots without a word from Redis (config/quick_redis.py).
- A mark that Redis did not take is made good by `publish_recent`, which the clock runs.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast
from uuid import UUID

import redis
from django.db import connection
from django.db.transaction import TransactionManagementError

from config.ids import new_id
from config.logs import logger
from config.quick_redis import RedisAway, Script, insistent_redis, patient_redis, quick_redis
from tenants.snapshots import forget

log = logger(__name__)
_PENDING = "pending:"
# The lock is that of the row, and lasts until the commit.
_CHANGE = """
INSERT INTO public.tenants_tenantversion (tenant_id, token, changed_at)
VALUES (%(tenant_id)s, %(token)s, statement_timestamp())
ON CONFLICT (tenant_id) DO UPDATE SET token = excluded.token, changed_at = excluded.changed_at
"""
_BEGIN = """
INSERT INTO public.tenants_tenantversion (tenant_id, token, changed_at)
VALUES (%(tenant_id)s, %(token)s, statement_timestamp()) ON CONFLICT DO NOTHING
"""
_UNLOCKED = """
SELECT token FROM public.tenants_tenantversion WHERE tenant_id = %s FOR SHARE SKIP LOCKED
"""
_IS_KNOWN = "SELECT EXISTS (SELECT FROM public.tenants_tenantversion WHERE tenant_id = %s)"
# Only what was seen is replaced: '' is a key that is missing.
_REPLACE = Script("""
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
""")
_RECENT = """
SELECT tenant_id, token FROM public.tenants_tenantversion WHERE changed_at > %s
"""


def version_key(tenant_id: UUID) -> str:
    return f"plaza:{{{tenant_id.hex}}}:version"


def touch(*tenant_ids: UUID) -> None:
    """Tell that this transaction changes what these tenants' snapshots hold.

    Raises TransactionManagementError outside a transaction: the version must commit with the change.
    """
    wrapper = cast("Any", connection)
    if not wrapper.in_atomic_block:
        raise TransactionManagementError("A tenant's version changes in the writer's transaction.")
    for tenant_id in tenant_ids:
        forget(tenant_id)
        wrapper.mark_write(tenant_id)
        wrapper.before_commit(tenant_id, partial(_change, tenant_id))


def _change(tenant_id: UUID) -> Callable[[], None]:
    """The last thing before the commit; returns what is to be done right after it."""
    token = new_id().hex
    with connection.cursor() as cursor:
        cursor.execute(_CHANGE, {"tenant_id": tenant_id, "token": token})
    _mark(tenant_id, token)
    return partial(_publish, tenant_id, token)


def _mark(tenant_id: UUID, token: str) -> None:
    """Waits for a Redis that stands still, longer than any process trusts what it knows in such a silence."""
    try:
        insistent_redis().insist(
            lambda server: server.set(version_key(tenant_id), _PENDING + token)
        )
    except RedisAway:
        # Requests read PostgreSQL now; `publish_recent` tells Redis when it is back.
        log.warning("version.not_marked", extra={"tenant_id": str(tenant_id)})


def _publish(tenant_id: UUID, token: str) -> None:
    forget(tenant_id)
    try:
        _replace(tenant_id, seen=_PENDING + token, token=token)
    except RedisAway:
        log.warning("version.not_published", extra={"tenant_id": str(tenant_id)})


def _replace(tenant_id: UUID, *, seen: str, token: str) -> bool:
    """Put `token` where Redis says `seen`; False where it says something else by now. Raises RedisAway."""
    return bool(quick_redis().run(_REPLACE, [version_key(tenant_id)], [seen, token]))


def settled(tenant_id: UUID) -> str | None:
    """The token in force, which Redis knows too from now on; None while the tenant is being changed.

    To be asked on the square and before the tenant's rows are read: they may then be newer than the
    token says, never older. Raises RedisAway.
    """
    told = quick_redis().ask(lambda server: server.get(version_key(tenant_id)))
    seen = cast("bytes", told).decode() if told else ""
    token = _unlocked(tenant_id)
    if token is None or seen == token or _replace(tenant_id, seen=seen, token=token):
        return token
    return None


def _unlocked(tenant_id: UUID) -> str | None:
    with connection.cursor() as cursor:
        cursor.execute(_UNLOCKED, [tenant_id])
        if (row := cursor.fetchone()) is not None:
            return str(row[0])
        cursor.execute(_IS_KNOWN, [tenant_id])
        if cursor.fetchone()[0]:
            return None
        cursor.execute(_BEGIN, {"tenant_id": tenant_id, "token": new_id().hex})
        cursor.execute(_UNLOCKED, [tenant_id])
        row = cursor.fetchone()
    return str(row[0]) if row else None


def publish_recent(*, now: datetime, within: timedelta) -> int:
    """Tell Redis of every tenant changed `within` that time of which it knows another token; how many.

    For marks that Redis did not take. What is being changed at this moment is its writer's business.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RECENT, [now - within])
        recent = cursor.fetchall()
    try:
        known = _known(tenant_id for tenant_id, _ in recent)
        behind = [each for (each, token), told in zip(recent, known, strict=True) if told != token]
        return sum(settled(tenant_id) is not None for tenant_id in behind)
    except RedisAway:
        log.warning("versions.publish_postponed")
        return 0


def _known(tenant_ids: Iterable[UUID]) -> list[str]:
    """What Redis says of each. One by one in a pipeline, since a cluster has them on several nodes."""

    def read(server: redis.Redis) -> list[bytes | None]:
        pipeline = server.pipeline(transaction=False)
        for tenant_id in tenant_ids:
            pipeline.get(version_key(tenant_id))
        return cast("list[bytes | None]", pipeline.execute())

    return [told.decode() if told else "" for told in patient_redis().ask(read)]
