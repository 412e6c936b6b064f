"""What this process knows of a tenant, good for one version of it (tenants/versions.py).

A snapshot begins with the tenant and its hosts; what else is read for a request (a key, a member, the
entitlements) is kept in it, and goes with it. Whether it is still true is the gate's question to Redis,
in the one round trip that decides the request too. Nothing in it may be changed by who reads it.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from config.context import replica_reading
from config.quick_redis import quick_redis

_MOST_TENANTS = 2_000
_MOST_FACTS = 2_000
_in_force: ContextVar["TenantSnapshot | None"] = ContextVar("plaza_snapshot", default=None)


@dataclass(eq=False, slots=True)
class TenantSnapshot:
    """`tenant` is its row. `version` None: it serves one request, and is compared with nothing.

    `connected` is how often this process had connected to Redis when it was read.
    """

    tenant: Any
    hosts: frozenset[str]
    version: str | None
    connected: int = 0
    is_spoilt: bool = False
    _facts: dict[Hashable, tuple[datetime | None, Any]] = field(default_factory=dict)

    def recall(self, key: Hashable, *, now: datetime) -> Any | None:
        """What was kept under `key`; None where nothing is, or it has run out."""
        until, fact = self._facts.get(key, (None, None))
        return None if self.is_spoilt or (until is not None and until <= now) else fact

    def keep(self, key: Hashable, fact: Any, *, until: datetime | None = None) -> None:
        """Keep what was read of this tenant after the snapshot was; `until` the time alone makes it wrong.

        What a replica said may be older than the snapshot's version: it is not kept.
        """
        if replica_reading() is not None:
            return
        if len(self._facts) >= _MOST_FACTS:  # somebody asks with very many keys
            self._facts.clear()
        self._facts[key] = (until, fact)


class Snapshots:
    """Those of this process: the tenants asked for last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_id: OrderedDict[UUID, TenantSnapshot] = OrderedDict()
        self._at_host: dict[str, UUID] = {}

    def at_host(self, host: str) -> TenantSnapshot | None:
        """That of the tenant that answers at `host`, if it is known."""
        tenant_id = self._at_host.get(host)
        found = None if tenant_id is None else self.of(tenant_id)
        return found if found is not None and host in found.hosts else None

    def of(self, tenant_id: UUID) -> TenantSnapshot | None:
        found = self._by_id.get(tenant_id)
        # Redis may have been away since, and back with what it knew before.
        if found is None or found.is_spoilt or found.connected != quick_redis().connected:
            return None
        return found

    def add(self, snapshot: TenantSnapshot) -> None:
        with self._lock:
            self._by_id[snapshot.tenant.pk] = snapshot
            self._by_id.move_to_end(snapshot.tenant.pk)
            for host in snapshot.hosts:
                self._at_host[host] = snapshot.tenant.pk
            while len(self._by_id) > _MOST_TENANTS:
                self._forget_hosts(self._by_id.popitem(last=False)[1])

    def forget(self, tenant_id: UUID) -> None:
        with self._lock:
            gone = self._by_id.pop(tenant_id, None)
            if gone is not None:
                gone.is_spoilt = True
                self._forget_hosts(gone)

    def _forget_hosts(self, gone: TenantSnapshot) -> None:
        for host in gone.hosts:
            if self._at_host.get(host) == gone.tenant.pk:
                del self._at_host[host]

    def clear(self) -> None:
        with self._lock:
            self._by_id.clear()
            self._at_host.clear()


snapshots = Snapshots()


def forget(tenant_id: UUID) -> None:
    """Let go of what this process knows of the tenant, in the request that is being served too."""
    snapshots.forget(tenant_id)
    mine = _in_force.get()
    if mine is not None and mine.tenant.pk == tenant_id:
        mine.is_spoilt = True


@contextmanager
def serving(snapshot: TenantSnapshot) -> Iterator[None]:
    """Answer one request by `snapshot`."""
    token = _in_force.set(snapshot)
    try:
        yield
    finally:
        _in_force.reset(token)


def snapshot_in_force(tenant_id: UUID) -> TenantSnapshot | None:
    """That by which the present request is answered, if it is this tenant's and still true."""
    mine = _in_force.get()
    if mine is None or mine.is_spoilt or mine.tenant.pk != tenant_id:
        return None
    return mine
