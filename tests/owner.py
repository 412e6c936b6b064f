"""What only the owner may do to a schema: tests that break a table on purpose."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection as any_connection

from tenants.isolation import owner_context
from tenants.models import Tenant
from tenants.roles import GROUP, WEB

connection: Any = any_connection


@contextmanager
def owners_cursor(tenant: Tenant | None = None) -> Iterator[Any]:
    """A cursor of the owner, at the tenant's schema or at public."""
    with owner_context():
        connection.set_schema(tenant.schema_name if tenant else "public")
        try:
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.set_schema_to_public()


def make_role_alone(schema: str) -> None:
    """A tenant's role without a schema: enough for tests of what lies in public."""
    with owners_cursor() as cursor:
        cursor.execute(f'CREATE ROLE "{schema}" NOLOGIN')
        cursor.execute(f'GRANT {GROUP} TO "{schema}"')
        cursor.execute(f'GRANT "{schema}" TO {WEB}')
