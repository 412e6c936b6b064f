"""Schemas that tests make with the owner's rights, which commit: what is in them, and their end."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.conf import settings

from config.ids import new_id
from tenants.engine.owner import owner_connection
from tenants.models import Tenant
from tenants.rendering import Cursor
from tenants.roles import drop_role_sql
from tests.conftest import ACME_ID, GLOBEX_ID
from tests.processes import environment_here

KEPT = {f"t_{tenant_id.hex}" for tenant_id in (ACME_ID, GLOBEX_ID)}
# Asked of PostgreSQL in its own words, so that our renderer is not its own judge.
_CATALOG = """
SELECT 'column', table_name || '.' || column_name, concat_ws('|', ordinal_position, data_type,
    is_nullable, column_default, is_identity, generation_expression, collation_name, character_maximum_length)
FROM information_schema.columns WHERE table_schema = %(schema)s
UNION ALL
SELECT 'constraint', conrelid::regclass::text || '.' || conname, contype::text || pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = to_regnamespace(%(schema)s)
UNION ALL
SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = %(schema)s
UNION ALL
SELECT 'sequence', sequencename, concat_ws('|', data_type, start_value, increment_by, last_value)
FROM pg_sequences WHERE schemaname = %(schema)s
UNION ALL
SELECT 'relation', relname, relkind::text FROM pg_class WHERE relnamespace = to_regnamespace(%(schema)s)
"""


@contextmanager
def owner_cursor() -> Iterator[Cursor]:
    with owner_connection() as owner, owner.cursor() as cursor:
        yield cursor


def catalog(schema: str) -> set[tuple[str, ...]]:
    """Every column, constraint, index, sequence and relation of a schema, without the schema's name."""
    with owner_cursor() as cursor:
        cursor.execute(_CATALOG, {"schema": schema})
        return {
            tuple(re.sub(rf"\b{schema}\.", "", str(value)) for value in row)
            for row in cursor.fetchall()
        }


def schemas() -> set[str]:
    """The tenants' schemas, but those that all tests share."""
    with owner_cursor() as cursor:
        cursor.execute(r"SELECT nspname FROM pg_namespace WHERE nspname ~ '^t_[0-9a-f]{32}$'")
        return {str(name) for (name,) in cursor.fetchall()} - KEPT


def drop_all() -> None:
    """End every tenant's schema but the shared ones, with its role."""
    with owner_cursor() as cursor:
        for schema in schemas():
            # At once: a role alone is a fault that the doctor's tests beside this one would find.
            cursor.execute(f'DROP SCHEMA "{schema}" CASCADE; {drop_role_sql(schema)}'.encode())
        cursor.execute("DELETE FROM public.tenants_readyschema")


def tenant_row(tenant_id: UUID | None = None, status: str = "provisioning") -> Tenant:
    tenant_id = tenant_id or new_id()
    return Tenant.objects.create(
        id=tenant_id,
        schema_name=f"t_{tenant_id.hex}",
        slug=f"s-{tenant_id.hex[-12:]}",
        organisation="Sol",
        status=status,
    )


def begun(program: str, *arguments: str) -> "subprocess.Popen[bytes]":
    """Another process on this test's database, which runs `program` since now; kill it and wait for it."""
    begin = "import django, sys\ndjango.setup()\n" + program.replace(
        "# go", "print('go', flush=True)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", begin, *arguments],
        cwd=settings.BASE_DIR,
        env=environment_here(),
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"go\n"
    return process
