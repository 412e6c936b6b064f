"""Whatever ends a provisioner in the middle: nothing or all is there, and the next one goes on."""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DatabaseError

from tenants.models import ReadySchema, Tenant
from tenants.pool import fill_pool
from tenants.provisioning import provision
from tenants.template import TEMPLATE_SCHEMA, code_version, same_as_template
from tests.tenants.schemas import begun, catalog, drop_all, owner_cursor, schemas, tenant_row

pytestmark = pytest.mark.django_db(transaction=True)
PROVISION = """
from uuid import UUID
from tenants.provisioning import provision
# go
provision(tenant_id=UUID(sys.argv[1]))
"""
REFRESH = """
from tenants.template import refresh
# go
refresh()
"""
FILL = """
from tenants.pool import fill_pool
# go
fill_pool(wanted=50)
"""


@pytest.fixture(autouse=True)
def _nothing_left(db: None) -> Iterator[None]:
    drop_all()
    yield
    drop_all()


@pytest.mark.parametrize("after_seconds", [0.02, 0.06, 0.1, 0.15, 0.25])
def test_a_killed_one_leaves_nothing_or_all_and_goes_on(after_seconds: float):
    tenant = tenant_row()
    process = begun(PROVISION, str(tenant.pk))
    time.sleep(after_seconds)
    process.send_signal(signal.SIGKILL)
    process.communicate()

    found = catalog(tenant.schema_name)
    assert found in (set(), catalog(TEMPLATE_SCHEMA))

    provision(tenant_id=tenant.pk)
    assert same_as_template(tenant.schema_name) == []
    assert Tenant.objects.get().schema_version == code_version()


def test_a_connection_that_dies_in_the_middle_leaves_nothing_and_it_goes_on():
    tenant = tenant_row()
    outcomes = set()
    with owner_cursor() as cursor:

        def killer() -> None:
            for _ in range(400):
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'plaza-owner' AND datname = current_database()"
                    " AND query LIKE '%CREATE TABLE%' AND state = 'active' AND pid <> pg_backend_pid()"
                )
                if cursor.fetchall():
                    return
                time.sleep(0.002)

        with ThreadPoolExecutor(1) as pool:
            killing = pool.submit(killer)
            try:
                provision(tenant_id=tenant.pk)
                outcomes.add("made")
            except DatabaseError:
                outcomes.add("broken off")
            killing.result()

    assert outcomes == {"broken off"}
    assert catalog(tenant.schema_name) == set()
    provision(tenant_id=tenant.pk)
    assert same_as_template(tenant.schema_name) == []


def test_a_killed_filler_leaves_whole_schemas_only_and_another_goes_on():
    process = begun(FILL)
    while ReadySchema.objects.count() < 2:
        time.sleep(0.003)
    time.sleep(0.03)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    time.sleep(0.3)  # what its server process had begun has ended

    ready = list(ReadySchema.objects.all())
    assert {row.schema_name for row in ready} == schemas()
    assert {tuple(same_as_template(row.schema_name)) for row in ready} == {()}
    assert fill_pool(wanted=len(ready) + 1) == 1


@pytest.mark.parametrize("after_seconds", [0.1, 0.4, 0.8])
def test_a_killed_refresh_of_the_template_is_finished_by_whoever_needs_it(after_seconds: float):
    with owner_cursor() as cursor:
        cursor.execute(
            "DROP SCHEMA IF EXISTS template CASCADE; DELETE FROM public.tenants_template"
        )
    process = begun(REFRESH)
    time.sleep(after_seconds)
    process.send_signal(signal.SIGKILL)
    process.communicate()

    tenant = provision(tenant_id=tenant_row().pk)

    assert tenant.schema_version == code_version()
    assert catalog(tenant.schema_name) == catalog(TEMPLATE_SCHEMA)
