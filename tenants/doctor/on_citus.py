"""Where tenants are spread over nodes (`PLAZA_CITUS=1`): whether each of them is."""

from collections.abc import Iterator
from uuid import UUID

from django.conf import settings

from tenants.citus.provisioning import distribute_sql, undistributed_sql
from tenants.doctor.findings import Fault, Patient


def is_on() -> bool:
    """Whether this installation distributes tenants' schemas."""
    return bool(getattr(settings, "PLAZA_CITUS", False))


def undistributed(patient: Patient) -> Iterator[Fault]:
    """A schema that stayed on the coordinator; distributing it blocks its writes while rows are copied."""
    if not is_on():
        return
    for (schema,) in patient.ask(undistributed_sql()):
        yield Fault(
            f"The schema {schema} lies on the coordinator, not on a node.",
            distribute_sql(schema),
            UUID(schema[2:]),
        )
