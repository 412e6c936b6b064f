"""Roles and grants: each fault is planted in one tenant's role, found, named, and mended where claimed."""

import pytest

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
}


@pytest.mark.parametrize("code", FAULTS)
def test_a_fault_in_a_tenants_rights_is_found_and_mended(ward, code):
    plant, undo = FAULTS[code]
    with ward.planted(plant, undo):
        assert [(one.code, one.fault.tenant_id) for one in ward.found()] == [(code, ward.sick.id)]
        assert [one.code for one in ward.mend().mended] == [code]
        assert ward.codes() == []


MORE = {
    "another tenant's schema": (
        f'GRANT USAGE ON SCHEMA "t_{{acme_hex}}" TO {S}',
        "grant_outside",
    ),
    "everybody's table": (f"GRANT SELECT ON {S}.crm_contact TO PUBLIC", "grant_to_stranger"),
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
