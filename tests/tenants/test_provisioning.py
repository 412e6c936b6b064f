"""A tenant's schema is whole or not there, whoever makes it and whatever interrupts."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from tenants.models import Tenant
from tenants.provisioning import SchemaInTheWay, can_provision, provision
from tenants.template import TEMPLATE_SCHEMA, code_version, same_as_template
from tests.conftest import ACME_ID
from tests.tenants.schemas import catalog, drop_all, owner_cursor, schemas, tenant_row

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nothing_left(db: None) -> Iterator[None]:
    drop_all()
    yield
    drop_all()


def test_a_schema_is_the_templates_equal_to_the_name_of_each_constraint_and_index():
    tenant = provision(tenant_id=tenant_row().pk)

    assert catalog(tenant.schema_name) == catalog(TEMPLATE_SCHEMA)
    assert len(catalog(tenant.schema_name)) > 100
    assert same_as_template(tenant.schema_name) == []
    assert Tenant.objects.get().schema_version == tenant.schema_version == code_version()


def test_an_empty_tenant_is_small_enough_for_thousands_of_them():
    tenant = provision(tenant_id=tenant_row().pk)

    with owner_cursor() as cursor:
        kinds = cursor.execute(
            "SELECT count(*) FILTER (WHERE relkind IN ('r', 'p')), count(*) FILTER (WHERE relkind = 'i'),"
            " sum(pg_total_relation_size(oid)) FILTER (WHERE relkind IN ('r', 'p', 'S'))"
            " FROM pg_class WHERE relnamespace = %s::regnamespace",
            [tenant.schema_name],
        ).fetchone()
    assert kinds is not None
    tables, indexes, size = map(int, kinds)
    assert 10 < tables <= 30, tables
    assert tables < indexes <= 120, indexes
    assert size <= 1.5 * 1024**2, size


def test_no_migration_runs_for_a_tenant():
    tenant = provision(tenant_id=tenant_row().pk)

    with owner_cursor() as cursor:
        applied = [
            cursor.execute(f"SELECT * FROM {schema}.django_migrations ORDER BY id").fetchall()
            for schema in (TEMPLATE_SCHEMA, tenant.schema_name)
        ]
        # To the microsecond when they ran in the template.
        assert applied[0] == applied[1]
        cursor.execute(
            f"INSERT INTO {tenant.schema_name}.django_migrations (app, name, applied)"
            " VALUES ('next', 'one', now()) RETURNING id"
        )
        assert cursor.fetchone() == (len(applied[0]) + 1,)


def test_its_role_may_use_its_own_schema_and_no_other():
    tenant = provision(tenant_id=tenant_row().pk)
    other = f"t_{ACME_ID.hex}"

    with owner_cursor() as cursor:
        cursor.execute(
            "SELECT has_table_privilege(%(role)s, %(own)s, 'INSERT, UPDATE, DELETE'),"
            " has_schema_privilege(%(role)s, %(own_schema)s, 'CREATE'),"
            " has_schema_privilege(%(role)s, %(other)s, 'USAGE'),"
            " has_schema_privilege(%(role)s, 'template', 'USAGE'), rolcanlogin"
            " FROM pg_roles WHERE rolname = %(role)s",
            {
                "role": tenant.schema_name,
                "own": f"{tenant.schema_name}.crm_contact",
                "own_schema": tenant.schema_name,
                "other": other,
            },
        )
        assert cursor.fetchall() == [(True, False, False, False, False)]


def test_again_and_again_changes_nothing_and_keeps_rows_and_rights():
    tenant = provision(tenant_id=tenant_row().pk)
    with owner_cursor() as cursor:
        insert = f"INSERT INTO {tenant.schema_name}.crm_tag (id, name) VALUES (gen_random_uuid(), 'kept')"
        cursor.execute(insert)
        cursor.execute(f"REVOKE ALL ON SCHEMA {tenant.schema_name} FROM {tenant.schema_name}")
    before = catalog(tenant.schema_name)

    provision(tenant_id=tenant.pk)

    assert catalog(tenant.schema_name) == before
    with owner_cursor() as cursor:
        cursor.execute(f"SELECT name FROM {tenant.schema_name}.crm_tag")
        assert cursor.fetchall() == [("kept",)]
        cursor.execute(
            "SELECT has_schema_privilege(%(name)s::name, %(name)s::text, 'USAGE')",
            {"name": tenant.schema_name},
        )
        assert cursor.fetchone() == (True,)


def test_many_at_once_make_one_schema():
    tenant = tenant_row()

    def run(_: int) -> str:
        try:
            return provision(tenant_id=tenant.pk).schema_version
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(run, range(4)))

    assert answers == [code_version()] * 4
    assert same_as_template(tenant.schema_name) == []


def test_different_tenants_at_once_do_not_cross():
    tenants = [tenant_row() for _ in range(6)]

    def run(tenant: Tenant) -> None:
        try:
            provision(tenant_id=tenant.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(run, tenants))

    assert schemas() == {tenant.schema_name for tenant in tenants}
    assert [same_as_template(tenant.schema_name) for tenant in tenants] == [[]] * 6


def test_a_schema_that_another_hand_left_empty_is_made_anew():
    tenant = tenant_row()
    with owner_cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {tenant.schema_name}")
        cursor.execute(f"CREATE TABLE {tenant.schema_name}.crm_contact (odd int)")

    provision(tenant_id=tenant.pk)

    assert same_as_template(tenant.schema_name) == []


def test_a_schema_with_rows_that_is_not_ours_is_left_as_it_is():
    tenant = tenant_row()
    with owner_cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {tenant.schema_name}")
        cursor.execute(f"CREATE TABLE {tenant.schema_name}.precious AS SELECT 1 AS one")
    before = catalog(tenant.schema_name)

    with pytest.raises(SchemaInTheWay):
        provision(tenant_id=tenant.pk)

    assert catalog(tenant.schema_name) == before
    assert Tenant.objects.get().schema_version == ""


def test_django_tenants_own_create_schema_is_ours():
    tenant = tenant_row()

    assert tenant.create_schema(check_if_exists=True) is True
    assert tenant.create_schema(check_if_exists=True) is False

    assert same_as_template(tenant.schema_name) == []
    assert tenant.schema_version == code_version()


def test_a_process_without_the_owners_sign_in_knows_that_it_cannot(settings: Any):
    assert can_provision()
    settings.PLAZA_CAN_PROVISION = False
    assert not can_provision()


@pytest.mark.django_db(transaction=False)
def test_a_row_that_is_not_committed_yet_notes_its_version_itself(db: None):
    tenant = tenant_row()

    provision(tenant_id=tenant.pk)

    tenant.refresh_from_db()
    assert tenant.schema_version == code_version()
