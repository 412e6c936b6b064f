"""The template: a schema that follows the migrations by itself, kept as SQL for each version.

A version is which migrations of the tenant apps a schema has. Every tenant's schema is a replay of
this SQL (tenants/provisioning.py), so that names of constraints and indexes are equal everywhere.
"""

import io
from collections.abc import Callable, Iterable
from functools import cache
from hashlib import sha256
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection as django_connection
from django.db.migrations.loader import MigrationLoader
from psycopg import sql

from config.logs import logger
from tenants.engine.owner import owner_connection
from tenants.isolation import owner_context
from tenants.models import Template
from tenants.rendering import (
    Cursor,
    Shape,
    render,
    replay,
    shape_as_replayed,
    shape_of,
    tables_of,
)

log = logger(__name__)
connection: Any = django_connection
Told = Callable[[str], None]
TEMPLATE_SCHEMA = "template"
Migration = tuple[str, str]
_KEEP = """
INSERT INTO public.tenants_template (version, sql, tables) VALUES (%s, %s, %s)
ON CONFLICT (version) DO NOTHING
"""


def silent(_: str) -> None:
    """Tell nobody."""


@cache
def _on_disk() -> frozenset[Migration]:
    """The tenant apps' migrations (app, name) that this code knows."""
    labels = {
        config.label for config in apps.get_app_configs() if config.name in settings.TENANT_APPS
    }
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return frozenset(key for key in loader.disk_migrations if key[0] in labels)


@cache
def code_version() -> str:
    """The version of a schema that has every migration of this code."""
    return _hash(_on_disk())


def forget_code() -> None:
    """Read the migrations on disk anew: for a process that outlives a change of them."""
    _on_disk.cache_clear()
    code_version.cache_clear()


def _hash(migrations: Iterable[Migration]) -> str:
    names = "\n".join(f"{app}.{name}" for app, name in sorted(migrations))
    return sha256(names.encode()).hexdigest()[:16]


def version_of(cursor: Cursor, schema: str) -> str:
    """The version that a schema has by its own migration rows; "" where there are none.

    Migrations that this code does not know do not count: newer schemas are at the code's version.
    """
    cursor.execute("SELECT to_regclass(%s) IS NULL", [f'"{schema}".django_migrations'])
    if cursor.fetchall() == [(True,)]:
        return ""
    cursor.execute(
        sql.SQL("SELECT app, name FROM {}").format(sql.Identifier(schema, "django_migrations"))
    )
    applied = _on_disk() & set(cursor.fetchall())
    return _hash(applied) if applied else ""


def current() -> Template:
    """The template at this code's version; it is made when there is none yet."""
    return _stored(code_version()) or refresh()


def _stored(version: str) -> Template | None:
    return Template.objects.filter(pk=version).first()


def refresh(*, tell: Told = silent) -> Template:
    """Bring the template up to this code's migrations, and keep it as SQL. Nothing to do costs one query.

    Needs the owner's rights. Whoever comes second waits for the first.
    """
    version = code_version()
    if (stored := _stored(version)) is not None:
        return stored
    with owner_connection() as owner, owner.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext('plaza.template'))")
        if (stored := _stored(version)) is not None:
            return stored
        cursor.execute(
            sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(TEMPLATE_SCHEMA))
        )
        if version_of(cursor, TEMPLATE_SCHEMA) != version:
            migrate_schema(TEMPLATE_SCHEMA)
        _replay_itself(cursor, version)
        tables = tables_of(shape_of(cursor, TEMPLATE_SCHEMA))
        cursor.execute(_KEEP, [version, render(cursor, TEMPLATE_SCHEMA), tables])
    log.info("template.refreshed", extra={"version": version})
    tell(f"The template is at version {version}.")
    return Template.objects.get(pk=version)


def _replay_itself(cursor: Cursor, version: str) -> None:
    """Put a replay in the template's place, once, so that its clones are equal to it to the letter."""
    cursor.execute("SELECT obj_description(%s::regnamespace, 'pg_namespace')", [TEMPLATE_SCHEMA])
    if cursor.fetchone() == (version,):
        return
    with cursor.connection.transaction():
        pattern_sql = render(cursor, TEMPLATE_SCHEMA)
        cursor.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(TEMPLATE_SCHEMA)))
        replay(cursor, schema=TEMPLATE_SCHEMA, pattern_sql=pattern_sql)
        cursor.execute(
            sql.SQL("COMMENT ON SCHEMA {} IS {}").format(sql.Identifier(TEMPLATE_SCHEMA), version)
        )


def is_known(cursor: Cursor, version: str) -> bool:
    """Whether the template ever had this version."""
    cursor.execute("SELECT FROM public.tenants_template WHERE version = %s", [version])
    return cursor.fetchone() is not None


def migrate_schema(schema: str) -> None:
    """Apply what is not yet applied to one schema by django-tenants' own command."""
    with owner_context():
        try:
            call_command(
                "migrate_schemas",
                tenant=True,
                schema_name=schema,
                interactive=False,
                verbosity=0,
                stdout=io.StringIO(),
            )
        finally:
            # The command leaves the connection at the schema in which it failed.
            connection.set_schema_to_public()


def same_as_template(schema: str) -> list[str]:
    """How a schema differs from the template's, each difference a line; [] where it does not.

    Rows and rights are not compared. Of another version, that alone is told. Raises CannotRender.
    """
    with owner_connection() as owner, owner.cursor() as cursor:
        versions = version_of(cursor, schema), version_of(cursor, TEMPLATE_SCHEMA)
        if versions[0] != versions[1]:
            return ["version: is {}, the template's is {}".format(*(v or "none" for v in versions))]
        found, expected = shape_of(cursor, schema), shape_of(cursor, TEMPLATE_SCHEMA)
        if found == expected:
            return []
        found, expected = (shape_as_replayed(cursor, shape) for shape in (found, expected))
    return _differences(found, expected)


def _differences(found: Shape, expected: Shape) -> list[str]:
    return [
        *(f"missing: {key}" for key in sorted(expected.keys() - found.keys())),
        *(f"unexpected: {key}" for key in sorted(found.keys() - expected.keys())),
        *(
            f"differs: {key}: is {found[key]!r}, should be {expected[key]!r}"
            for key in sorted(found.keys() & expected.keys())
            if found[key] != expected[key]
        ),
    ]
