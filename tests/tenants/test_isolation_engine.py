"""The engine fails closed, and a context belongs to its thread."""

import threading
from typing import Any

import pytest
from django.db import OperationalError, connections, transaction
from django.db import connection as any_connection

from config.context import current_tenant
from tenants.engine.refusals import SearchPathNotSet, TenantMismatch
from tenants.isolation import square_context, tenant_context

connection: Any = any_connection
pytestmark = pytest.mark.django_db


def current_schema() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        return str(cursor.fetchone()[0])


def test_a_tenant_context_sets_path_and_name_and_gives_both_back(acme, globex):
    seen = [(current_schema(), current_tenant())]
    with tenant_context(acme):
        seen.append((current_schema(), current_tenant()))
        with tenant_context(globex):
            seen.append((current_schema(), current_tenant()))
        with square_context():
            seen.append((current_schema(), current_tenant()))
        seen.append((current_schema(), current_tenant()))
    seen.append((current_schema(), current_tenant()))

    assert seen == [
        ("public", None),
        (acme.schema_name, acme.ref),
        (globex.schema_name, globex.ref),
        ("public", None),
        (acme.schema_name, acme.ref),
        ("public", None),
    ]


def test_a_connection_on_another_schema_than_the_tenant_in_force_is_refused(acme, globex):
    with tenant_context(acme):
        connection.set_schema(globex.schema_name)
        with pytest.raises(TenantMismatch):
            current_schema()
        connection.set_schema(acme.schema_name)
        assert current_schema() == acme.schema_name


class RefusesSearchPath:
    """A cursor on a server that does not take the path."""

    def execute(self, statement: str, *args: Any) -> None:
        raise OperationalError("injected")


def test_no_path_means_no_query(acme):
    with tenant_context(acme):
        connection.search_path_set_schemas = None
        with pytest.raises(SearchPathNotSet):
            connection._handle_search_path(RefusesSearchPath())


def test_the_path_holds_after_a_savepoint_is_rolled_back(acme):
    with tenant_context(acme):
        with transaction.atomic():
            current_schema()
            transaction.set_rollback(True)
        assert current_schema() == acme.schema_name


def test_a_thread_that_inherits_the_name_but_not_the_path_gets_an_exception(acme):
    import contextvars

    outcome: list[object] = []

    def work() -> None:
        try:
            outcome.append(current_schema())
        except TenantMismatch as refusal:
            outcome.append(type(refusal))
        finally:
            connections.close_all()

    with tenant_context(acme):
        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(work,))
        thread.start()
        thread.join()

    assert outcome == [TenantMismatch]
