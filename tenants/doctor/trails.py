"""Audit trails: each chain proved from its anchor to its head, and nothing that waits too long to be sealed."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from tenants.doctor.findings import Fault, Patient
from tenants.models import OPERATORS
from tenants.trail.proving import broken

# The sealer comes every few seconds.
_PATIENCE = timedelta(minutes=1)
_CURE = (
    "Nothing mends it: whoever may write as the database's owner or a superuser did this. Keep the"
    " database and its logs (trail.sealed tells each head), and compare a backup's trail with this one."
)


def broken_chains(patient: Patient) -> Iterator[Fault]:
    """A row changed, taken out, put in or moved by whoever has more rights than we give."""
    if patient.ask("SELECT to_regclass('public.tenants_trailhead') IS NULL") == [(True,)]:
        return  # the square is not migrated yet
    chains: list[tuple[UUID, str]] = [(OPERATORS, "the operators")]
    chains += patient.ask_of_stalls("""
        SELECT id, slug FROM living WHERE to_regclass(stall || '.trail_event') IS NOT NULL ORDER BY slug
    """)  # fmt: skip
    for chain, whose in chains:
        if found := broken(patient.connection, chain):
            what = f"The audit trail of {whose} cannot be proved: {found}."
            yield Fault(what, _CURE, None if chain == OPERATORS else chain)


def unsealed(patient: Patient) -> Iterator[Fault]:
    """What waits may still be taken away unseen; where the sealer stands still, that is a door."""
    rows = patient.ask("""
        SELECT waiting.tenant_id, count(*), min(waiting.recorded_at)
          FROM public.tenants_trailpending AS waiting
          LEFT JOIN public.tenants_tenant AS tenant ON tenant.id = waiting.tenant_id
         WHERE coalesce(tenant.status, '') <> 'provisioning'
         GROUP BY waiting.tenant_id HAVING min(waiting.recorded_at) < %(before)s ORDER BY 3
    """, before=patient.now - _PATIENCE)  # fmt: skip
    for chain, count, since in rows:
        yield Fault(
            f"{count} rows of an audit trail wait to be sealed since {since:%Y-%m-%d %H:%M:%S}.",
            "Look whether a worker runs, and in its log for trail.not_sealed.",
            None if chain == OPERATORS else chain,
        )
