"""A plain connection of the owner: for DDL, locks and work on several schemas side by side."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import connection as django_connection

from tenants.engine.refusals import NoOwner
from tenants.engine.writes import WriteMarks


def owner_connection(*, autocommit: bool = True) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection of the owner to this process's database; the caller closes it.

    It knows nothing of tenants: name every schema. Raises NoOwner, psycopg.OperationalError.
    """
    owner = settings.DATABASE_OWNER
    if owner is None:
        raise NoOwner("DATABASE_OWNER_URL is not set: this process has no rights of the owner.")
    return plain_connection(owner, name="plaza-owner", autocommit=autocommit)


def plain_connection(
    sign_in: Mapping[str, Any], *, name: str, autocommit: bool = True, patience_seconds: int = 5
) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection by one of the settings' sign-ins, without a place or a tenant; the caller closes it.

    Raises psycopg.OperationalError.
    """
    return psycopg.connect(
        # The database is Django's of this moment, so that tests reach their own.
        dbname=django_connection.settings_dict["NAME"],
        user=sign_in["USER"],
        password=sign_in["PASSWORD"],
        host=sign_in["HOST"],
        port=sign_in["PORT"],
        connect_timeout=patience_seconds,
        application_name=name,
        autocommit=autocommit,
    )


def lock_schema(owner: psycopg.Connection[Any] | psycopg.Cursor[Any], schema: str) -> None:
    """Until this transaction ends nobody else makes the schema, or begins to erase it."""
    owner.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [schema])


@contextmanager
def writing(owner: psycopg.Connection[Any], *tenant_ids: UUID) -> Iterator[None]:
    """A transaction of the owner that changes what these tenants read: marked, as their own writes are.

    However long it took, the mark is set just before the commit and outlasts it by a second.
    """
    marks = WriteMarks()
    try:
        with owner.transaction():
            yield
            for tenant_id in tenant_ids if settings.DATABASE_REPLICA is not None else ():
                marks.begin(tenant_id)
    finally:
        marks.settle()
