"""A tenant's schema: a replay of the template's SQL with its role, in one transaction of the owner.

No migration runs for a tenant. Killed anywhere, nothing or all of it is there; run again, it goes on.
"""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import DatabaseError
from django.db import connection as django_connection
from psycopg import sql

from config.logs import logger
from tenants import template
from tenants.citus import provisioning as citus
from tenants.crossing import again_where_crossed
from tenants.engine.owner import lock_schema, owner_connection, writing
from tenants.life.refusals import TenantNotOpen
from tenants.models import Tenant
from tenants.rendering import Cursor, replay
from tenants.roles import create_role_sql

log = logger(__name__)
_NOTE = "UPDATE public.tenants_tenant SET schema_version = %s WHERE id = %s"
_IS_ERASED = "SELECT EXISTS (SELECT FROM public.tenants_erasure WHERE tenant_id = %s)"
# Longer than a clone: the second of two who provision at once waits for the first.
_PATIENCE = "SET LOCAL lock_timeout = '10s'"
Owner = psycopg.Connection[tuple[Any, ...]]
Made = TypeVar("Made")


class SchemaInTheWay(DatabaseError):
    """A schema of the tenant's name holds rows and is not what the template makes; nothing was changed."""


def can_provision() -> bool:
    """Whether this process has the owner's rights; else it leaves the work to the provisioner's worker."""
    return bool(settings.PLAZA_CAN_PROVISION)


def provision(*, tenant_id: UUID) -> Tenant:
    """Make the tenant's schema and role, and note its version. Harmless again and again, and twice at once.

    A schema that is whole stays as it is; what an interrupted hand left empty is made anew. Raises
    SchemaInTheWay, TenantNotOpen for one that is being erased, and django.db's errors.
    """
    tenant = Tenant.objects.get(pk=tenant_id)
    schema = tenant.schema_name
    with django_connection.wrap_database_errors:
        pattern = template.current()

    def make(cursor: Cursor) -> tuple[str, bool]:
        lock_schema(cursor, schema)
        if cursor.execute(_IS_ERASED, [tenant.id]).fetchone() == (True,):
            raise TenantNotOpen(state=Tenant.Status.CLOSED)
        version = _whole_version(cursor, schema)
        if version:
            cursor.execute(create_role_sql(schema).encode())
        else:
            _clear_the_way(cursor, schema)
            clone(cursor, schema=schema, pattern_sql=pattern.sql)
        noted = cursor.execute(_NOTE, [version or pattern.version, tenant.id])
        return version or pattern.version, noted.rowcount == 1

    with django_connection.wrap_database_errors, owner_connection() as owner:
        tenant.schema_version, is_noted = as_owner(owner, make, tenant_id)
    if not is_noted:  # its row is of a transaction that is still open: that one notes it
        Tenant.objects.filter(pk=tenant.pk).update(schema_version=tenant.schema_version)
    log.info("tenant.provisioned", extra={"tenant_id": str(tenant.id)})
    return tenant


def as_owner(owner: Owner, make: Callable[[Cursor], Made], *tenant_ids: UUID) -> Made:
    """What `make` makes in one transaction of the owner, marked as a write of these tenants.

    Tried again where somebody crossed it.
    """
    return again_where_crossed(lambda: _in_transaction(owner, make, *tenant_ids))


def _in_transaction(owner: Owner, make: Callable[[Cursor], Made], *tenant_ids: UUID) -> Made:
    with writing(owner, *tenant_ids), owner.cursor() as cursor:
        cursor.execute(_PATIENCE)
        return make(cursor)


def clone(cursor: Cursor, *, schema: str, pattern_sql: str) -> None:
    """Make the schema with its role inside the transaction of `cursor`; `pattern_sql` is a Template's.

    Raises psycopg.errors.DuplicateSchema.
    """
    if not settings.PLAZA_CITUS:
        replay(cursor, schema=schema, pattern_sql=pattern_sql)
        cursor.execute(create_role_sql(schema).encode())
        return
    cursor.execute(" ".join(citus.SETTINGS).encode())
    replay(cursor, schema=schema, pattern_sql=pattern_sql, while_empty=citus.distribute_sql(schema))
    cursor.execute(create_role_sql(schema).encode())
    cursor.execute(citus.role_sql(schema).encode())


def _whole_version(cursor: Cursor, schema: str) -> str:
    """The schema's version if it is one that the template ever had, else ""."""
    version = template.version_of(cursor, schema)
    return version if version and template.is_known(cursor, version) else ""


def _clear_the_way(cursor: Cursor, schema: str) -> None:
    """Drop a schema of this name which holds no rows. Raises SchemaInTheWay."""
    cursor.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(%s)"
        " AND relkind IN ('r', 'p') AND relname <> 'django_migrations'",
        [schema],
    )
    for (table,) in cursor.fetchall():
        name = sql.Identifier(schema, table)
        cursor.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(name))
        if cursor.fetchone() == (True,):
            raise SchemaInTheWay(
                f"{schema}.{table} holds rows, and the schema is not the template's."
            )
    cursor.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))
