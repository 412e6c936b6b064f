"""`fleet status`: which version each schema is at, who is behind or set aside, and how large they are."""

from dataclasses import dataclass, field

from tenants import template
from tenants.engine.owner import owner_connection
from tenants.fleet import ledger, names
from tenants.fleet.connections import Connections
from tenants.fleet.ledger import Laggard, Owner
from tenants.fleet.steps import HalfSquashed, Steps

_READ_AT_ONCE = 50
_VERSIONS = """
SELECT schema_version, count(*) FROM public.tenants_tenant
WHERE status NOT IN ('provisioning', 'closed') GROUP BY schema_version ORDER BY count(*) DESC, schema_version
"""
_BEHIND = """
SELECT slug, schema_version, migration_state, migration_error FROM public.tenants_tenant
WHERE status NOT IN ('provisioning', 'closed') AND (schema_version <> %s OR migration_state <> 'steady')
ORDER BY created_at
"""
_READY = """
SELECT version, count(*) FILTER (WHERE claimed_at IS NULL), count(claimed_at)
FROM public.tenants_readyschema GROUP BY version ORDER BY version
"""
# Sequences, indexes and oversized values belong to a table's total; each size is a look at files.
_SIZES = """
SELECT tenant.slug, sum(pg_total_relation_size(held.oid))::bigint, count(*)
FROM public.tenants_tenant AS tenant
JOIN pg_namespace AS place ON place.nspname = tenant.schema_name
JOIN pg_class AS held ON held.relnamespace = place.oid AND held.relkind IN ('r', 'm')
GROUP BY tenant.slug ORDER BY 2 DESC, 1
"""


@dataclass(frozen=True, slots=True)
class Behind:
    """A tenant whose schema is not the code's, or that was set aside; `error` says why."""

    slug: str
    version: str
    state: str
    error: str


@dataclass(frozen=True, slots=True)
class ReadySchemas:
    """Of one version: how many wait for a sign-up, and how many are being claimed."""

    version: str
    unclaimed: int
    claimed: int


@dataclass(frozen=True, slots=True)
class Size:
    slug: str
    size_bytes: int
    tables: int


@dataclass(slots=True)
class FleetStanding:
    """How the fleet stands. versions: {version: tenants}; `sizes` are in bytes, the largest first."""

    code_version: str
    versions: dict[str, int]
    behind: list[Behind]
    ready: list[ReadySchemas]
    sizes: list[Size]
    database_bytes: int
    repaired: int = 0
    set_aside: list[Behind] = field(default_factory=list)


def status() -> FleetStanding:
    """Read how the fleet stands; the ledger is mended first where `migrate_schemas` went round it."""
    version = template.code_version()
    with owner_connection() as owner:
        repaired = _repair(owner, version)
        behind = [Behind(*row) for row in owner.execute(_BEHIND, [version])]
        row = owner.execute("SELECT pg_database_size(current_database())").fetchone()
        return FleetStanding(
            code_version=version,
            versions=dict(owner.execute(_VERSIONS).fetchall()),
            behind=behind,
            set_aside=[each for each in behind if each.error],
            ready=[ReadySchemas(*row) for row in owner.execute(_READY)],
            sizes=[Size(*row) for row in owner.execute(_SIZES)],
            database_bytes=int(row[0]) if row else 0,
            repaired=repaired,
        )


def _repair(owner: Owner, version: str) -> int:
    """Note as up to date whose own list of migrations says so. Nothing is migrated."""
    found = ledger.laggards(owner, version=version)
    if not found:
        return 0
    steps, connections, repaired = Steps(), Connections(1), 0
    for start in range(0, len(found), _READ_AT_ONCE):
        slice_ = found[start : start + _READ_AT_ONCE]
        with connections.taken(len(slice_)) as reader:
            applied = names.applied(reader, [each.schema for each in slice_])
        whole = [
            each
            for each in slice_
            if each.schema in applied and _is_whole(each, steps, applied[each.schema])
        ]
        ledger.settle(owner, whole, version=version)
        repaired += len(whole)
    connections.close()
    return repaired


def _is_whole(laggard: Laggard, steps: Steps, applied: frozenset[names.Key]) -> bool:
    try:
        return not steps.todo(applied).steps
    except HalfSquashed:
        return False
