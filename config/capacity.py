"""How large an installation must be: from figures that were measured, by arithmetic that can be read.

The figures are of this code on two shared cores, with other work beside it, so that they err to the safe side. `make bench
ARGS=requests` tells the processor's, `/proc/<pid>/smaps_rollup` of a running `make up` the memory's, and
tests/tenants/test_provisioning.py the size of an empty tenant; what a connection remembers and the pace of migrations
were measured on a prototype, and the size of a contact is an estimate.
"""

from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured. Processor time in microseconds a request, memory and disk in MiB."""

    # A mix of a list of 20, one, and a new contact.
    web_us: float
    postgres_us: float
    redis_us: float
    # Resident memory of one process after some thousand requests, and of one of a worker's.
    web_mib: float
    worker_mib: float
    # A tenant without rows: 18 tables and 53 indexes.
    empty_tenant_mib: float
    tenant_relations: int
    # With its indexes and its share of companies, tags and orders.
    contact_kib: float
    # What one connection remembers of one tenant's tables once it has touched them.
    remembered_mib: float
    # Schemas brought along by one added column, four connections.
    migrated_a_second: float


MEASURED = Figures(
    web_us=2_100,
    postgres_us=450,
    redis_us=200,
    web_mib=160,
    worker_mib=90,
    empty_tenant_mib=0.56,
    tenant_relations=71,
    contact_kib=1.5,
    remembered_mib=1.15,
    migrated_a_second=50,
)
# So busy a processor may be on average: above it waiting grows faster than work.
BUSY_RATIO = 0.6
# As deploy/kubernetes gives them (limits of a web pod; its process's connections).
CORES_A_POD = 0.5
CONNECTIONS_A_PROCESS = 18
WORKER_PROCESSES = 8
# Of a lone PostgreSQL with memory for them.
MOST_CONNECTIONS = 500
# Tenants whose tables one connection still remembers when the next one asks.
REMEMBERED_TENANTS = 50
# Beyond these one server is a risk by itself: catalog, backup and migration take hours.
MOST_TENANTS_ON_ONE, MOST_CORES_ON_ONE = 10_000, 32


@dataclass(frozen=True, slots=True)
class Need:
    """What an installation needs. Memory and disk in MiB; `overlay` is one of deploy/kubernetes/overlays."""

    web_cores: float
    postgres_cores: float
    redis_cores: float
    web_pods: int
    web_memory_mib: int
    connections: int
    needs_pooler: bool
    catalog_mib: int
    database_mib: int
    files_of_tables: int
    postgres_memory_mib: int
    migration_minutes: float
    overlay: str


def reckon(*, tenants: int, rps: int, contacts: int, figures: Figures = MEASURED) -> Need:
    """For `tenants` with so many `contacts` each, and `rps` requests a second at the busiest time."""
    web, postgres, redis = (
        rps * microseconds / 1e6 / BUSY_RATIO
        for microseconds in (figures.web_us, figures.postgres_us, figures.redis_us)
    )
    # One may be away while another is replaced.
    pods = max(3, ceil(web / CORES_A_POD) + 1)
    connections = (pods + WORKER_PROCESSES) * CONNECTIONS_A_PROCESS
    catalog = tenants * figures.empty_tenant_mib
    remembered = min(tenants, REMEMBERED_TENANTS) * figures.remembered_mib
    served = min(connections, MOST_CONNECTIONS)
    return Need(
        web_cores=round(web, 2),
        postgres_cores=round(postgres, 2),
        redis_cores=round(redis, 2),
        web_pods=pods,
        web_memory_mib=ceil(pods * figures.web_mib),
        connections=connections,
        needs_pooler=connections > MOST_CONNECTIONS,
        catalog_mib=ceil(catalog),
        database_mib=ceil(catalog + tenants * contacts * figures.contact_kib / 1024),
        files_of_tables=tenants * figures.tenant_relations,
        postgres_memory_mib=ceil(served * remembered + catalog),
        migration_minutes=round(tenants / figures.migrated_a_second / 60, 1),
        overlay=_overlay(tenants=tenants, pods=pods, cores=postgres),
    )


def _overlay(*, tenants: int, pods: int, cores: float) -> str:
    if tenants > MOST_TENANTS_ON_ONE or cores > MOST_CORES_ON_ONE:
        return "citus"
    if pods > 20:
        return "large"
    return "production" if pods > 3 or tenants > 100 else "single"
