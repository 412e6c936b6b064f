"""`database prepare` makes what is missing, and again and again nothing else."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command

from config.ids import new_id
from tenants.engine.owner import owner_connection
from tenants.preparing import prepare_roles
from tenants.roles import GROUP, WEB, drop_role_sql

pytestmark = pytest.mark.django_db(transaction=True)
_ROLES = """
SELECT role.rolname::text, group_role.rolname::text
  FROM pg_auth_members JOIN pg_roles AS role ON role.oid = member
  JOIN pg_roles AS group_role ON group_role.oid = roleid
 WHERE role.rolname = %(name)s OR group_role.rolname = %(name)s
 ORDER BY 2
"""


def test_a_tenant_from_before_roles_gets_its_role_with_rights_on_its_own_schema():
    schema = f"t_{new_id().hex}"
    with owner_connection() as owner:
        owner.execute(f'CREATE SCHEMA "{schema}"')
        owner.execute(f'CREATE TABLE "{schema}".kept ()')
        try:
            prepare_roles()
            prepare_roles()
            memberships = owner.execute(_ROLES, {"name": schema}).fetchall()
            may_read = owner.execute(
                "SELECT has_table_privilege(%s, %s, 'select')", [schema, f"{schema}.kept"]
            ).fetchone()
        finally:
            owner.execute(f'DROP SCHEMA "{schema}" CASCADE')
            owner.execute(drop_role_sql(schema).encode())

    assert {(schema, GROUP), (WEB, schema)} <= set(memberships)
    assert may_read == (True,)


def test_another_database_that_writes_the_same_role_meanwhile_is_waited_for(caplog):
    there: Any = settings.DATABASE_OWNER
    with (
        psycopg.connect(
            dbname=there["NAME"], user=there["USER"], password=there["PASSWORD"],
            host=there["HOST"], port=there["PORT"],
        ) as other,
        ThreadPoolExecutor(1) as pool,
        caplog.at_level("INFO"),
    ):  # fmt: skip
        other.execute("ALTER ROLE plaza_square SET search_path = public, ext")
        prepared = pool.submit(prepare_roles)
        time.sleep(0.3)
        other.commit()
        assert isinstance(prepared.result().lacking, list)

    assert [one.getMessage() for one in caplog.records if "crossed" in one.getMessage()] == [
        "roles.crossed"
    ]


def test_the_command_says_what_it_did(capsys):
    call_command("database", "prepare")

    assert capsys.readouterr().out.splitlines()[0] == "The roles are made."
