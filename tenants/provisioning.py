"""A tenant's schema: made by its migrations, resumable at every step."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.core.management import call_command
from django.db import connection

from config.logs import logger
from tenants.isolation import square_context
from tenants.models import Tenant

log = logger(__name__)


def provision(*, tenant_id: UUID) -> Tenant:
    """Make the tenant's schema and bring it up to date. Run again after a kill, it goes on where it stopped.

    Runs outside a transaction: each migration commits by itself.
    """
    tenant = Tenant.objects.get(pk=tenant_id)
    with square_context(), _alone_with(tenant):
        with connection.cursor() as cursor:
            cursor.execute(
                f"CREATE SCHEMA IF NOT EXISTS {connection.ops.quote_name(tenant.schema_name)}"
            )
        migrate_schema(tenant.schema_name)
    log.info("tenant.provisioned", extra={"tenant_id": str(tenant.id)})
    return tenant


def migrate_schema(schema: str) -> None:
    """Apply what is not yet applied to one tenant schema."""
    with square_context():
        call_command(
            "migrate_schemas",
            tenant=True,
            schema_name=schema,
            interactive=False,
            verbosity=0,
            stdout=io.StringIO(),
        )


@contextmanager
def _alone_with(tenant: Tenant) -> Iterator[None]:
    """Two provisioners of one tenant wait for each other; a killed one's lock dies with its connection."""
    key = int.from_bytes(tenant.id.bytes[-8:], signed=True)
    # A connection of its own: django-tenants closes the usual one at the end of a migration.
    keeper = connection.copy()
    try:
        with keeper.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [key])
        yield
    finally:
        keeper.close()
