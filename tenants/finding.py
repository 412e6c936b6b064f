"""Whose stall a request is for: first by what this process knows, then by PostgreSQL.

A tenant is read after its version (tenants/versions.py), so that what is kept is at least as new as the
version says. Without one (it is being changed, or Redis is away) what is read serves one request.
"""

from collections.abc import Callable
from uuid import UUID

from config.context import Place, at_place
from config.quick_redis import RedisAway, quick_redis
from tenants.models import Domain, Tenant
from tenants.services import answering
from tenants.snapshots import TenantSnapshot, snapshots
from tenants.versions import settled

# A way to find the tenant of one request: None where nobody answers.
Find = Callable[[], TenantSnapshot | None]


def ways_to_find(known: Find, tenant_id: Callable[[], UUID | None]) -> list[Find]:
    """In the order in which they are tried: as known, read anew, read for this request alone.

    The last is never out of date. Each raises TenantNotReady, TenantMigrating.
    """

    def read(*, is_kept: bool) -> TenantSnapshot | None:
        found = tenant_id()
        return None if found is None else read_snapshot(found, is_kept=is_kept)

    if quick_redis().is_away:
        return [lambda: read(is_kept=False)]
    return [
        lambda: known() or read(is_kept=True),
        lambda: read(is_kept=True),
        lambda: read(is_kept=False),
    ]


def tenant_id_at(host: str) -> UUID | None:
    """The tenant that has this host, answering or not."""
    with at_place(Place.LOOKUP):
        return Domain.objects.filter(domain=host).values_list("tenant_id", flat=True).first()


def read_snapshot(tenant_id: UUID, *, is_kept: bool) -> TenantSnapshot | None:
    """What PostgreSQL knows of the tenant; None where it is gone. Raises TenantNotReady, TenantMigrating."""
    connected = quick_redis().connected
    version = _version(tenant_id) if is_kept else None
    with at_place(Place.LOOKUP):
        tenant = answering(Tenant.objects.filter(pk=tenant_id).first())
        if tenant is None:
            return None
        hosts = Domain.objects.filter(tenant_id=tenant_id).values_list("domain", flat=True)
        found = TenantSnapshot(tenant, frozenset(hosts), version, connected=connected)
    if version is not None:
        snapshots.add(found)
    return found


def _version(tenant_id: UUID) -> str | None:
    try:
        with at_place(Place.SQUARE):
            return settled(tenant_id)
    except RedisAway:
        return None
