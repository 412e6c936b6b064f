"""The doctor on healthy ground, and the tenants that lost something."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from config.ids import new_id
from tenants.doctor.examination import CHECKS
from tenants.doctor.findings import Level

# The rows are committed by the ward; the mark alone makes the database.
pytestmark = pytest.mark.django_db


def test_a_healthy_installation_has_no_findings(ward):
    assert ward.told() == []


def test_what_only_a_superuser_can_take_away_is_told_with_the_sql(ward, now):
    from tenants.doctor.examination import examine

    found = examine(now=now, codes=frozenset({"public_may"}))

    assert len(found) == len(ward.lacking)
    assert all(one.fault.cure.startswith("REVOKE ") for one in found)


def told(*arguments):
    out = io.StringIO()
    call_command("tenant", "doctor", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())["results"]


def test_the_command_tells_of_one_tenant_mends_it_and_fails_while_an_error_is_left(ward):
    revoke = f'REVOKE plaza_tenants FROM "{ward.stall}"'
    with ward.planted(revoke, f'GRANT plaza_tenants TO "{ward.stall}"'):
        with pytest.raises(CommandError, match="1 of 1 findings are errors"):
            call_command("tenant", "doctor", "sick", stdout=io.StringIO())
        assert told("acme") == [{"state": "healthy"}]
        [mended, healthy] = told("sick", "--mend")

    assert (mended["state"], mended["code"], mended["tenant"], mended["mendable"]) == (
        "mended",
        "role_without_group",
        str(ward.sick.id),
        True,
    )
    assert mended["cure"] == f'GRANT "plaza_tenants" TO "{ward.stall}";'
    assert healthy["state"] == "healthy"


def test_a_warning_alone_does_not_fail_the_command(ward):
    schema = f"t_{new_id().hex}"
    with ward.planted(f"CREATE SCHEMA {schema}", f"DROP SCHEMA {schema}"):
        codes = [one.code for one in ward.found() if one.level is Level.ERROR]
        assert (ward.codes(), codes) == (["schema_without_tenant"], [])


def test_each_code_stands_once_in_the_table_of_checks():
    codes = [check.code for check in CHECKS]
    assert sorted(set(codes)) == sorted(codes)
