"""The square before the stalls: public is migrated by Django's own executor, as the owner."""

import io
from typing import Any

from django.core.management import call_command
from django.db import connection as django_connection
from django.db.migrations.executor import MigrationExecutor

from tenants.granting import prepare_rights
from tenants.isolation import owner_context

connection: Any = django_connection


def migrate_square() -> bool:
    """Migrate public, and give the roles their rights on what is new. False where nothing was to be done."""
    with owner_context():
        connection.set_schema_to_public()
        executor = MigrationExecutor(connection)
        if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return False
        call_command(
            "migrate_schemas", shared=True, interactive=False, verbosity=0, stdout=io.StringIO()
        )
    prepare_rights()
    return True
