"""A tenant that is older than its trail gets it with no more rights than a new one's."""

from importlib import import_module

import pytest

from tenants.doctor.examination import examine
from tests.tenants.trail.chains import as_owner, sealed

pytestmark = pytest.mark.django_db(transaction=True)
CODES = frozenset({"grant_excessive", "grant_missing", "grant_to_stranger"})


def test_the_migration_closes_what_default_privileges_have_opened(acme, now):
    trail = f"{acme.schema_name}.trail_event"
    as_owner(
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {trail} TO {acme.schema_name}",
        f"REVOKE ALL ON {trail} FROM plaza_keeper",
    )
    assert [one.code for one in examine(now=now, codes=CODES)] == ["grant_excessive"]
    close = import_module("tenants.trail.migrations.0001_initial")._CLOSE

    as_owner(f"BEGIN; SET LOCAL search_path TO {acme.schema_name}, ext; {close}; COMMIT")

    assert examine(now=now, codes=CODES) == []
    assert sealed(acme, "a") == [1]


def test_a_stranger_who_may_read_or_write_a_trail_is_found(acme, now):
    trail = f"{acme.schema_name}.trail_event"
    as_owner(f"GRANT UPDATE ON {trail} TO plaza_keeper")
    try:
        [found] = examine(now=now, codes=CODES)
        assert found.code == "grant_to_stranger"
        assert "plaza_keeper has INSERT, UPDATE" in found.fault.what
    finally:
        as_owner(f"REVOKE UPDATE ON {trail} FROM plaza_keeper")
