"""How much room a tenant's tables and exports take: measured by a task, compared before a file is taken.

It is a reading, not a count: between two readings a tenant may go past its limit by what it adds.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection

from config.context import require_tenant
from config.needs import Meter
from quotas.meters import EPOCH
from quotas.models import UsageTotal
from quotas.refusals import QuotaExceeded
from tenants.models import Archive, Tenant

STORAGE_BYTES = Meter.STORAGE_BYTES.value
_TENANTS_AT_ONCE = 200
# Of a table with its indexes and what it keeps out of line.
_SIZES = """
SELECT space.nspname, sum(pg_total_relation_size(kept.oid))::bigint
  FROM pg_class AS kept JOIN pg_namespace AS space ON space.oid = kept.relnamespace
 WHERE space.nspname = ANY(%s) AND kept.relkind IN ('r', 'm')
 GROUP BY space.nspname
"""


def measure() -> int:
    """Read the size of every tenant's schema; how many tenants were read."""
    tenants = list(
        Tenant.objects.exclude(status__in=[Tenant.Status.PROVISIONING, Tenant.Status.CLOSED])
        .order_by("pk")
        .values_list("schema_name", "pk")
    )
    return sum(
        _measure_some(tenants[first : first + _TENANTS_AT_ONCE])
        for first in range(0, len(tenants), _TENANTS_AT_ONCE)
    )


def _measure_some(tenants: Sequence[tuple[str, UUID]]) -> int:
    ids = dict(tenants)
    with connection.cursor() as cursor:
        cursor.execute(_SIZES, [list(ids)])
        sizes = cursor.fetchall()
    exports = dict(Archive.objects.filter(tenant_id__in=ids.values()).sizes())
    UsageTotal.objects.bulk_create(
        [
            UsageTotal(
                tenant_id=ids[schema],
                meter=STORAGE_BYTES,
                period_start=EPOCH,
                used=int(size) + exports.get(ids[schema], 0),
            )
            for schema, size in sizes
        ],
        update_conflicts=True,
        unique_fields=["tenant_id", "meter", "period_start"],
        update_fields=["used"],
    )
    return len(sizes)


def used(tenant_id: UUID) -> int:
    """Bytes by the last reading, 0 before the first."""
    rows = UsageTotal.objects.filter(tenant_id=tenant_id, meter=STORAGE_BYTES, period_start=EPOCH)
    return int(rows.values_list("used", flat=True).first() or 0)


def refuse_beyond(*, asked_bytes: int) -> None:
    """Raise QuotaExceeded where the tenant in force has no room for `asked_bytes` more."""
    tenant = require_tenant()
    limit = tenant.shares.storage_limit_bytes if tenant.shares else None
    if limit is None:
        return
    taken = used(tenant.id)
    if taken + asked_bytes > limit:
        raise QuotaExceeded(
            meter=STORAGE_BYTES,
            limit=limit,
            used=taken,
            asked=asked_bytes,
            resets_at=None,
            upgrade_to=None,
        )
