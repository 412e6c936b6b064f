"""How much room a tenant takes: read from its schema, and compared before a file is taken."""

import io

import pytest
from django.db import connection

from apps.crm.models import Import
from quotas import storage
from quotas.models import UsageTotal
from quotas.refusals import QuotaExceeded
from quotas.tasks import measure_storage
from tenants import shares
from tenants.isolation import tenant_context
from tests import factories

pytestmark = pytest.mark.django_db


def size_of(tenant) -> int:
    """The same, asked table by table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = %s", [tenant.schema_name]
        )
        total = 0
        for (table,) in cursor.fetchall():
            cursor.execute(
                "SELECT pg_total_relation_size(c.oid) FROM pg_class c WHERE relname = %s"
                " AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = %s)",
                [table, tenant.schema_name],
            )
            total += cursor.fetchone()[0]
    return total


def test_each_tenant_s_schema_is_measured_and_the_last_reading_counts(acme, globex):
    assert storage.used(acme.id) == 0
    assert measure_storage() == 2
    first = storage.used(acme.id)
    assert (first, storage.used(globex.id)) == (size_of(acme), size_of(globex))
    with tenant_context(acme):
        factories.ContactFactory.create_batch(200)
    measure_storage()

    assert storage.used(acme.id) == size_of(acme) > first
    assert UsageTotal.objects.filter(meter=storage.STORAGE_BYTES).count() == 2


def test_a_file_beyond_the_limit_is_402_and_is_not_kept(acme, globex, api, now):
    measure_storage()
    used = storage.used(acme.id)
    shares.scale(tenant_id=acme.id, by_hand={"storage_limit_bytes": used + 10}, now=now)
    file = io.BytesIO(b"email\nada@example.test\n")
    file.name = "contacts.csv"
    refused = api(acme).upload("/api/v1/imports", {"file": file}, status=402)

    told = {name: refused[name] for name in ("code", "meter", "limit", "used", "asked")}
    assert told == {
        "code": "quota_exceeded",
        "meter": "storage_bytes",
        "limit": used + 10,
        "used": used,
        "asked": 23,
    }
    with tenant_context(acme):
        assert Import.objects.count() == 0


def test_what_fits_and_what_has_no_limit_passes(acme, globex, now):
    measure_storage()
    used = storage.used(acme.id)
    acme = shares.scale(tenant_id=acme.id, by_hand={"storage_limit_bytes": used + 10}, now=now)
    with tenant_context(acme):
        storage.refuse_beyond(asked_bytes=10)
        with pytest.raises(QuotaExceeded):
            storage.refuse_beyond(asked_bytes=11)
    globex.storage_limit_bytes = None
    with tenant_context(globex):
        storage.refuse_beyond(asked_bytes=2**50)
