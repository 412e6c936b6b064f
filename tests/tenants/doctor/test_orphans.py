"""Tenants, schemas, roles, hosts and ready schemas that lost each other."""

from typing import Any
from uuid import UUID

import psycopg
import pytest
import redis
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from config.ids import new_id
from tenants.doctor.examination import examine, mend

# The rows are committed by the ward; the mark alone makes the database.
pytestmark = pytest.mark.django_db
LOST = UUID("01900000-0000-7000-8000-0000000d0c70")
STALL = f"t_{LOST.hex}"
DROP_ROLE = f"DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{STALL}') THEN DROP ROLE {STALL}; END IF; END $$;"  # fmt: skip


def test_a_schema_without_tenant_is_found_and_left_to_a_person(ward):
    with ward.planted(f"CREATE SCHEMA {STALL}", f"DROP SCHEMA {STALL}"):
        assert [(one.code, one.fault.tenant_id) for one in ward.found()] == [
            ("schema_without_tenant", LOST)
        ]
        assert ward.mend().mended == []
        assert ward.codes() == ["schema_without_tenant"]


def test_a_role_without_tenant_goes(ward, now):
    def lost():
        found = examine(now=now, codes=frozenset({"role_without_tenant"}))
        return [one for one in found if one.fault.tenant_id == LOST]

    with ward.planted(f"CREATE ROLE {STALL}", DROP_ROLE):
        assert len(lost()) == 1
        assert len(mend(lost(), now=now).mended) == 1
        assert lost() == []


def test_a_role_that_another_database_needs_is_not_ours(ward, now):
    role = f"t_{new_id().hex}"

    def is_found():
        found = examine(now=now, codes=frozenset({"role_without_tenant"}))
        return UUID(role[2:]) in {one.fault.tenant_id for one in found}

    there: Any = settings.DATABASE_OWNER
    with psycopg.connect(
        dbname=there["NAME"], user=there["USER"], password=there["PASSWORD"],
        host=there["HOST"], port=there["PORT"], autocommit=True,
    ) as other, ward.planted(f"CREATE ROLE {role}", f"DROP ROLE {role}"):  # fmt: skip
        other.execute(
            f"CREATE SCHEMA doctors_test; GRANT USAGE ON SCHEMA doctors_test TO {role}".encode()
        )
        is_found_while_needed = is_found()
        other.execute(b"DROP SCHEMA doctors_test")
        assert (is_found_while_needed, is_found()) == (False, True)


def test_a_tenant_without_schema_is_found_with_the_way_back(ward):
    name = f'"{ward.stall}"'
    with ward.planted(f"ALTER SCHEMA {name} RENAME TO away", f"ALTER SCHEMA away RENAME TO {name}"):
        found = {one.code: one.fault for one in ward.found()}

    # The role still has its rights on the schema that was renamed, and on what is made in it; so has
    # the keeper, which seals the trail.
    assert set(found) == {
        *("tenant_without_schema", "grant_outside", "default_privileges", "grant_undeclared"),
    }
    assert found["tenant_without_schema"].tenant_id == ward.sick.id
    assert "last archive" in found["tenant_without_schema"].cure


def test_a_tenant_without_role_gets_one(ward):
    from tenants.roles import create_role_sql, drop_role_sql

    with ward.planted(drop_role_sql(ward.stall), create_role_sql(ward.stall)):
        assert ward.codes() == ["tenant_without_role"]
        assert [one.code for one in ward.mend().mended] == ["tenant_without_role"]
        assert ward.codes() == []


def test_a_tenant_without_host_gets_its_subdomain_back(ward):
    ward.run("DELETE FROM public.tenants_domain WHERE tenant_id = '{id}'")

    assert ward.codes() == ["tenant_without_host"]
    assert len(ward.mend().mended) == 1
    assert ward.codes() == []
    ward.sick.refresh_from_db()
    assert [domain.domain for domain in ward.sick.domains.all()] == ["sick.plaza.localhost"]


def test_a_ready_schema_half_made_is_discarded(ward):
    ward.run(f"INSERT INTO public.tenants_readyschema (id, version) VALUES ('{LOST}', 'x')")

    assert ward.codes() == ["ready_half_made"]
    assert len(ward.mend().mended) == 1
    assert ward.codes() == []


def test_a_ready_schema_whose_claim_brought_no_tenant_is_told_at_once_and_discarded(ward):
    from tenants.roles import create_role_sql

    plant = f"""
        CREATE SCHEMA {STALL}; CREATE TABLE {STALL}.crm_contact (id int); {create_role_sql(STALL)}
        INSERT INTO public.tenants_readyschema (id, version, claimed_at) VALUES ('{LOST}', 'x', now())
    """
    undo = f"DELETE FROM public.tenants_readyschema; DROP SCHEMA IF EXISTS {STALL} CASCADE; {DROP_ROLE}"
    with ward.planted(plant, undo):
        [finding] = ward.found()
        assert (finding.code, finding.fault.tenant_id) == ("ready_claimed_unused", LOST)
        assert "its tenant never came" in finding.fault.what
        assert len(ward.mend().mended) == 1
        assert ward.codes() == []
        left = ward.owner.execute(
            "SELECT count(*) FROM pg_roles WHERE rolname = %s", [STALL]
        ).fetchone()
    assert left == (0,)


def test_files_of_an_erased_tenant_go_and_those_of_an_unknown_one_stay(ward):
    unknown, erased = new_id(), new_id()
    for tenant_id in (unknown, erased):
        default_storage.save(f"{tenant_id}/imports/one", ContentFile(b"id\n"))
    ward.run(
        "INSERT INTO public.tenants_erasure (id, tenant_id, slug, steps, certificate, finished_at)"
        f" VALUES ('{new_id()}', '{erased}', 'gone', '{{}}', '{{}}', now())"
    )
    try:
        found = [(one.code, one.fault.tenant_id) for one in ward.found()]
        assert found == [("files_of_nobody", unknown), ("files_of_nobody", erased)]
        assert [one.fault.tenant_id for one in ward.mend().mended] == [erased]
        assert [one.fault.tenant_id for one in ward.found()] == [unknown]
        assert not default_storage.exists(str(erased))
    finally:
        ward.run("DELETE FROM public.tenants_erasure")
        default_storage.delete(f"{unknown}/imports/one")
        default_storage.delete(f"{unknown}/imports")
        default_storage.delete(str(unknown))


def test_redis_keys_of_a_tenant_that_is_gone_go_and_those_of_the_living_stay(ward):
    server = redis.Redis.from_url(settings.REDIS_URL)
    living = f"plaza:{{{ward.sick.id.hex}}}:calls:202601"
    for key in (f"plaza:{{{LOST.hex}}}:calls:202601", f"t_{LOST.hex}:plaza:1:rate", living):
        server.set(key, 1)

    [finding] = ward.found()
    assert (finding.code, finding.fault.tenant_id) == ("redis_keys_of_nobody", LOST)
    assert "2 keys" in finding.fault.what
    assert len(ward.mend().mended) == 1
    assert ward.codes() == []
    assert server.keys() == [living.encode()]
