"""The engine fails closed, and a context belongs to its thread."""

import contextvars
import threading
from typing import Any

import pytest
from django.db import connection as any_connection
from django.db import connections, transaction

from apps.crm.models import Contact
from config.context import NoTenant, Place, TenantRef, at_place, current_tenant
from config.ids import new_id
from tenants.engine.refusals import BuiltElsewhere, TenantMismatch
from tenants.isolation import square_context, tenant_context
from tenants.roles import NotAStall
from tests.factories import CompanyFactory, ContactFactory

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


def test_a_role_that_cannot_be_taken_means_no_query(acme):
    """django-tenants goes on with the path that the connection had; here nothing is asked."""
    nobody = TenantRef(new_id(), "nobody", f"t_{new_id().hex}")
    with tenant_context(nobody), pytest.raises(Exception, match="does not exist"):
        current_schema()
    with pytest.raises(Exception, match="aborted"):  # and nothing of this transaction goes on
        current_schema()


def test_a_name_that_is_no_tenants_never_comes_into_a_statement():
    crafted = TenantRef(new_id(), "crafted", 't_x"; RESET ROLE; --')
    with tenant_context(crafted), pytest.raises(NotAStall):
        current_schema()


def test_a_stall_without_a_tenant_is_refused():
    with at_place(Place.STALL), pytest.raises(NoTenant):
        current_schema()


def test_the_path_holds_after_a_savepoint_is_rolled_back(acme):
    with tenant_context(acme):
        with transaction.atomic():
            current_schema()
            transaction.set_rollback(True)
        assert current_schema() == acme.schema_name


def test_a_thread_that_inherits_the_context_asks_as_that_tenant(acme):
    """django-tenants' thread would ask as whoever its connection served last."""
    outcome: list[object] = []

    def work() -> None:
        try:
            outcome.append(current_schema())
        finally:
            connections.close_all()

    with tenant_context(acme):
        context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(work,))
    thread.start()
    thread.join()

    assert outcome == [acme.schema_name]


def test_a_queryset_built_for_one_tenant_is_refused_under_another(acme, globex):
    with tenant_context(acme):
        ContactFactory(email="a@acme.test")
        lazy = Contact.objects.filter(email__contains="@")
        raw = Contact.objects.raw("SELECT * FROM crm_contact WHERE email LIKE %s", ["%@%"])
    with tenant_context(globex):
        ContactFactory(email="b@globex.test")
        for evaluate in (
            list,
            len,
            lambda rows: rows.count(),
            lambda rows: rows.update(first_name=""),
        ):
            with pytest.raises(BuiltElsewhere), transaction.atomic():
                evaluate(lazy.all())
        with pytest.raises(BuiltElsewhere):
            list(raw)
    with tenant_context(acme):
        assert [contact.email for contact in lazy] == ["a@acme.test"]
        assert [contact.email for contact in raw] == ["a@acme.test"]


def test_a_row_loaded_from_one_tenant_is_not_saved_in_another(acme, globex):
    with tenant_context(acme):
        ContactFactory()
        contact = Contact.objects.get()
    with tenant_context(globex):
        with pytest.raises(BuiltElsewhere):
            contact.save()
        with pytest.raises(BuiltElsewhere):
            list(contact.orders.all())
        assert Contact.objects.count() == 0


def test_a_row_of_one_tenant_reaches_no_row_of_another_that_has_the_same_id(acme, globex):
    """After a restore both have the same ids."""
    company_id, contact_id = new_id(), new_id()
    for tenant in (acme, globex):
        with tenant_context(tenant):
            company = CompanyFactory(id=company_id)
            ContactFactory(id=contact_id, company=company)
    with tenant_context(acme):
        contact = Contact.objects.get()
    with tenant_context(globex):
        for cross in (
            contact.delete,
            contact.refresh_from_db,
            lambda: contact.company,
        ):
            with pytest.raises(BuiltElsewhere):
                cross()
        assert Contact.objects.get().company_id == company_id
