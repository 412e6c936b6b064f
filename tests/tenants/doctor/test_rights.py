"""Roles and grants: each fault is planted in one tenant's role, found, named, and mended where claimed."""

from datetime import UTC, datetime

import psycopg
import pytest

from tenants.doctor.findings import Patient, by_sql

pytestmark = pytest.mark.django_db

S = '"{stall}"'
FAULTS = {
    "role_too_mighty": (f"ALTER ROLE {S} CREATEDB", f"ALTER ROLE {S} NOCREATEDB"),
    "role_sign_in": (f"ALTER ROLE {S} LOGIN", f"ALTER ROLE {S} NOLOGIN"),
    "role_in_foreign_group": (
        "CREATE ROLE plaza_doctors_test; GRANT plaza_doctors_test TO " + S,
        "DROP ROLE plaza_doctors_test",
    ),
    "role_without_group": (f"REVOKE plaza_tenants FROM {S}", f"GRANT plaza_tenants TO {S}"),
    "grant_outside": (
        f"GRANT SELECT ON public.tenants_tenant TO {S}",
        f"REVOKE ALL ON public.tenants_tenant FROM {S}",
    ),
    "grant_to_stranger": (
        f"GRANT SELECT ON {S}.crm_contact TO plaza_square",
        f"REVOKE ALL ON {S}.crm_contact FROM plaza_square",
    ),
    "grant_missing": (
        f"REVOKE SELECT ON {S}.crm_contact FROM {S}",
        f"GRANT SELECT ON {S}.crm_contact TO {S}",
    ),
    "tenant_role_setting": (
        f"ALTER ROLE {S} IN DATABASE {{database}} SET search_path = odd",
        f"ALTER ROLE {S} IN DATABASE {{database}} RESET ALL",
    ),
    "tenant_role_membership": (
        f"GRANT {S} TO plaza_web WITH ADMIN OPTION",
        f"REVOKE ADMIN OPTION FOR {S} FROM plaza_web",
    ),
    "tenant_role_limited": (f"ALTER ROLE {S} NOINHERIT", f"ALTER ROLE {S} INHERIT"),
    "owner_wrong": (
        f"GRANT CREATE ON SCHEMA {S} TO {S}; GRANT {S} TO CURRENT_USER; ALTER TABLE {S}.content_template"
        f" OWNER TO {S}; REVOKE CREATE ON SCHEMA {S} FROM {S}",
        f"ALTER TABLE {S}.content_template OWNER TO CURRENT_USER",
    ),
}


@pytest.mark.parametrize("code", FAULTS)
def test_a_fault_in_a_tenants_rights_is_found_and_mended(ward, code):
    plant, undo = FAULTS[code]
    with ward.planted(plant, undo):
        assert [(one.code, one.fault.tenant_id) for one in ward.found()] == [(code, ward.sick.id)]
        assert [one.code for one in ward.mend().mended] == [code]
        assert ward.codes() == []


EXCESS = {
    "its own history of migrations": (
        f"GRANT INSERT, UPDATE ON {S}.django_migrations TO {S};"
        f" GRANT UPDATE (name) ON {S}.django_migrations TO {S};"
        f" GRANT USAGE ON SEQUENCE {S}.django_migrations_id_seq TO {S}",
        "UPDATE on column django_migrations.name; USAGE on sequence django_migrations_id_seq;"
        " INSERT, UPDATE on table django_migrations.",
    ),
    "tables of its own making": (
        f"GRANT CREATE ON SCHEMA {S} TO {S}; GRANT TRUNCATE ON {S}.crm_contact TO {S};"
        f" ALTER DEFAULT PRIVILEGES IN SCHEMA {S} GRANT TRUNCATE ON TABLES TO {S}",
        "{stall}: TRUNCATE on default TABLES OF plaza_owner; CREATE on schema;"
        " TRUNCATE on table crm_contact.",
    ),
    "rights to hand on": (
        f"GRANT SELECT ON {S}.crm_contact TO {S} WITH GRANT OPTION",
        "SELECT WITH GRANT OPTION on table crm_contact.",
    ),
}


@pytest.mark.parametrize("name", EXCESS)
def test_more_than_its_rows_is_found_named_and_taken_back(ward, name):
    plant, said = EXCESS[name]
    with ward.planted(plant, ""):
        [finding] = ward.found()
        assert (finding.code, finding.fault.tenant_id) == ("grant_excessive", ward.sick.id)
        assert finding.fault.what == f"The role {ward.stall} has more than its rows: {said}"
        assert [one.code for one in ward.mend().mended] == ["grant_excessive"]
        assert ward.told() == []


def test_prepare_takes_the_history_of_migrations_from_tenants_that_have_it(ward):
    from tenants.granting import prepare_rights

    plant = f"GRANT ALL ON {S}.django_migrations TO {S}; GRANT ALL ON {S}.django_migrations_id_seq TO {S}"
    with ward.planted(plant, ""):
        assert ward.codes() == ["grant_excessive"]
        prepare_rights()  # nothing else has changed, as in each start of a new release
        assert ward.told() == []


MORE = {
    "another tenant's schema": (
        f'GRANT USAGE ON SCHEMA "t_{{acme_hex}}" TO {S}',
        "grant_outside",
    ),
    "everybody's table": (f"GRANT SELECT ON {S}.crm_contact TO PUBLIC", "grant_to_stranger"),
    "a column of public": (
        f"GRANT SELECT (email) ON public.tenants_person TO {S}",
        "grant_outside",
    ),
    "the database": (f"GRANT TEMPORARY ON DATABASE {{database}} TO {S}", "grant_outside"),
    "a sequence of public": (
        f"GRANT USAGE ON SEQUENCE public.django_migrations_id_seq TO {S}",
        "grant_outside",
    ),
}


@pytest.mark.parametrize("name", MORE)
def test_grants_of_every_kind_are_seen(ward, name):
    plant, code = MORE[name]
    with ward.planted(plant.replace("{acme_hex}", ward.acme.id.hex), ""):
        assert ward.codes() == [code]
        assert len(ward.mend().mended) == 1
        assert ward.codes() == []


def test_a_role_that_another_than_the_webs_may_take_is_found_and_mended(ward):
    with ward.planted(f"GRANT {S} TO plaza_square", f"REVOKE {S} FROM plaza_square"):
        found = [(one.code, one.fault.what) for one in ward.found()]
        assert (
            "role_in_foreign_group",
            f"The role plaza_square is a member of {ward.stall}.",
        ) in found
        assert ward.mend().refused == []
        assert ward.codes() == []


def test_where_tenants_sign_in_by_themselves_so_does_who_looks_for_them(ward, settings):
    from tenants.doctor.role_attributes import wrong_sign_in

    def told() -> list[tuple[str, str]]:
        faults = wrong_sign_in(Patient(ward.owner, datetime.now(UTC)))
        return [(one.what, one.cure) for one in faults if "plaza_lookup" in one.what]

    settings.PLAZA_DB_LOGIN = "tenant"
    with ward.planted("ALTER ROLE plaza_lookup LOGIN", "ALTER ROLE plaza_lookup NOLOGIN"):
        assert told() == []
    assert told() == [("The role plaza_lookup may not sign in.", "manage.py database prepare")]


def test_a_cure_tells_no_password_and_sets_it(ward, settings):
    from tenants.roles import create_role_sql, password_of

    settings.PLAZA_DB_LOGIN = "tenant"
    fault = by_sql("It has no role.", create_role_sql(ward.stall), ward.sick.id)
    with ward.planted("", f"ALTER ROLE {S} NOLOGIN; ALTER ROLE {S} RESET ALL"):
        assert fault.mend is not None
        fault.mend(Patient(ward.owner, datetime.now(UTC)))
        info = ward.owner.info
        with psycopg.connect(
            host=info.host, port=info.port, dbname=info.dbname,
            user=ward.stall, password=password_of(ward.stall),
        ) as signed_in:  # fmt: skip
            assert signed_in.info.user == ward.stall
    assert password_of(ward.stall) not in fault.cure
    assert "PASSWORD '…'" in fault.cure


def test_a_sign_in_that_inherits_a_tenants_rights_is_found_and_mended(ward):
    """Since PostgreSQL 16 the membership says it, before that the role."""
    if ward.owner.info.server_version >= 160000:
        plant = f"GRANT {S} TO plaza_web WITH INHERIT TRUE"
        undo = f"GRANT {S} TO plaza_web WITH INHERIT FALSE"
        whose = ward.sick.id
    else:
        plant, undo, whose = "ALTER ROLE plaza_web INHERIT", "ALTER ROLE plaza_web NOINHERIT", None
    with ward.planted(plant, undo):
        assert [(one.code, one.fault.tenant_id) for one in ward.found()] == [
            ("role_inherits", whose)
        ]
        assert len(ward.mend().mended) == 1
        assert ward.codes() == []


def test_rights_of_everybody_on_the_database_and_on_public_are_found_and_mended(ward):
    database = ward.owner.info.dbname
    plant = f'GRANT TEMPORARY ON DATABASE "{database}" TO PUBLIC; GRANT CREATE ON SCHEMA public TO PUBLIC'
    from datetime import UTC, datetime

    from tenants.doctor.examination import examine, mend

    only = frozenset({"public_may"})
    with ward.planted(
        plant,
        f'REVOKE TEMPORARY ON DATABASE "{database}" FROM PUBLIC; REVOKE CREATE ON SCHEMA public FROM PUBLIC',
    ):
        now = datetime.now(UTC)
        found = examine(now=now, codes=only)
        assert len(found) == len(ward.lacking) + 2
        outcome = mend(found, now=now)
        left = examine(now=now, codes=only)

    # What takes a superuser is refused by the server or, with a warning, left as it is.
    assert len(left) == len(ward.lacking)
    assert len(outcome.mended) + len(outcome.refused) == len(found)


def test_a_role_that_is_not_there_is_found(ward, monkeypatch):
    from tenants.doctor import role_attributes

    monkeypatch.setattr(role_attributes, "_SIGN_INS", ["plaza_nobody", "plaza_square"])
    assert [(one.code, one.fault.cure) for one in ward.found()] == [
        ("role_missing", "manage.py database prepare")
    ]
