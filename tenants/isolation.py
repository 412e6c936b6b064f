"""A connection belongs to a tenant only through here: the name in the context, and the path on the connection."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from django.db import connection as any_connection

from config.context import PUBLIC_SCHEMA, TenantRef, bound_tenant
from tenants.engine.base import DatabaseWrapper
from tenants.models import Tenant


@contextmanager
def tenant_context(tenant: Tenant | TenantRef) -> Iterator[TenantRef]:
    """Work inside one tenant's schema. Evaluate querysets before leaving: they are lazy."""
    ref = tenant.ref if isinstance(tenant, Tenant) else tenant
    with _path(ref.schema), bound_tenant(ref):
        yield ref


@contextmanager
def square_context() -> Iterator[None]:
    """Work in public alone, whatever tenant was in force."""
    with _path(PUBLIC_SCHEMA), bound_tenant(None):
        yield


@contextmanager
def _path(schema: str) -> Iterator[None]:
    connection = cast("DatabaseWrapper", any_connection)
    before = connection.schema_name
    connection.set_schema(schema)
    try:
        yield
    finally:
        connection.set_schema(before)
