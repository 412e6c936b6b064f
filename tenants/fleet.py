"""Bring the square and every tenant schema up to date; a failing tenant does not stop the others."""

import io
from collections.abc import Callable
from dataclasses import dataclass

from django.core.management import call_command
from django.db import DatabaseError

from config.logs import logger
from tenants.isolation import square_context
from tenants.models import Tenant
from tenants.provisioning import migrate_schema

log = logger(__name__)
Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class FleetOutcome:
    """How many tenants were brought up to date, and which were set aside with the reason."""

    migrated: int
    set_aside: dict[str, str]


def migrate_square() -> None:
    """Migrate public."""
    with square_context():
        call_command(
            "migrate_schemas", shared=True, interactive=False, verbosity=0, stdout=io.StringIO()
        )


def migrate(*, tell: Told) -> FleetOutcome:
    """Public first, then every tenant that has a schema, one after the other."""
    migrate_square()
    tell("The square is up to date.")
    done, set_aside = 0, {}
    tenants = list(Tenant.objects.exclude(status=Tenant.Status.CLOSED).order_by("created_at"))
    for number, tenant in enumerate(tenants, start=1):
        if tenant.status == Tenant.Status.PROVISIONING:
            continue
        try:
            migrate_schema(tenant.schema_name)
        except DatabaseError as error:
            set_aside[tenant.slug] = str(error)
            log.exception("tenant.migration_failed", extra={"tenant_id": str(tenant.id)})
        else:
            done += 1
            tell(f"Tenant {number} of {len(tenants)} is up to date.")
    return FleetOutcome(migrated=done, set_aside=set_aside)
