"""What PostgreSQL would tell everybody of everybody is closed to tenants; on an older installation too."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import ProgrammingError, connection

from config import env
from config.closed_catalogs import open_sql
from config.local.ports import HOST
from config.local.postgres_cluster import SUPERUSER
from tenants.engine.owner import owner_connection
from tenants.isolation import lookup_context, square_context, tenant_context
from tenants.preparing import prepare_roles
from tenants.roles import SQUARE
from tests.streaming import streaming

COUNTS = (
    "SELECT reltuples FROM pg_class",
    "SELECT n_live_tup FROM pg_stat_user_tables",
    "SELECT pg_stat_get_live_tuples('crm_contact'::regclass)",
    "SELECT pg_total_relation_size('crm_contact')",
    "SELECT pg_database_size(current_database())",
    "SELECT pid FROM pg_stat_activity",
    "SELECT pid FROM pg_locks",
    "SELECT rolname FROM pg_roles",
    "SELECT nspname FROM pg_namespace",
    "SELECT schemaname FROM pg_tables",
)


def answer(statement: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


@pytest.mark.parametrize("statement", COUNTS)
def test_a_tenant_counts_and_watches_nobody(acme, statement):
    with tenant_context(acme), pytest.raises(ProgrammingError, match="permission denied"):
        answer(statement)


def test_what_the_product_asks_for_is_still_answered(acme):
    with tenant_context(acme):
        assert answer("SELECT 'crm_contact'::regclass::text") == "crm_contact"
        assert answer("SELECT typname::text FROM pg_type WHERE oid = 'uuid'::regtype") == "uuid"
        assert answer("SELECT setting FROM pg_settings WHERE name = 'TimeZone'") == "UTC"


def test_names_remain_and_they_are_opaque(acme, globex):
    """PostgreSQL reads them for everybody: deploy/database.md, "What a tenant's role still sees"."""
    with owner_connection() as owner:
        number = owner.execute(
            "SELECT to_regnamespace(%s)::oid::text", [globex.schema_name]
        ).fetchone()
    with tenant_context(acme):
        assert number is not None
        assert answer(f"SELECT {number[0]}::oid::regnamespace::text") == globex.schema_name


@pytest.mark.parametrize("place", [square_context, lookup_context])
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT set_config('statement_timeout', '1', false)",
        "UPDATE pg_settings SET setting = '1' WHERE name = 'statement_timeout'",
    ],
)
def test_no_injected_statement_changes_a_setting_of_the_session(db, place, statement):
    with place(), pytest.raises(ProgrammingError, match="permission denied for function"):
        answer(statement)


@pytest.fixture
def superuser(django_db_blocker: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Of a server of the test's own, whose database is the settings' meanwhile."""
    with django_db_blocker.unblock(), streaming() as made:
        urls = made.primary.urls()
        for name in ("OWNER", "SQUARE"):
            variable = f"DATABASE_{name}"
            monkeypatch.setattr(settings, variable, env.database(variable, urls[f"{variable}_URL"]))
        monkeypatch.setitem(connection.settings_dict, "NAME", "plaza")
        with psycopg.connect(
            host=HOST, port=made.primary.port, dbname="plaza", user=SUPERUSER,
            password=made.primary.secrets["postgres_superuser_password"], autocommit=True,
        ) as connected:  # fmt: skip
            yield connected


def test_what_an_older_release_left_open_is_told_and_closed_once(superuser):
    assert prepare_roles().lacking == []
    superuser.execute(
        "GRANT SELECT ON pg_class TO PUBLIC; GRANT EXECUTE ON FUNCTION pg_lock_status() TO PUBLIC;"
        f" GRANT EXECUTE ON FUNCTION set_config(text, text, boolean) TO {SQUARE}"
    )

    lacking = prepare_roles().lacking
    assert [statement.split()[0] for statement in lacking] == ["REVOKE", "DO"]
    for statement in lacking * 2:
        superuser.execute(statement)

    assert prepare_roles().lacking == []
    with closing(owner_connection()) as owner:
        assert owner.execute(open_sql(owner=owner.info.user, square=SQUARE)).fetchall() == []
        assert owner.execute("SELECT count(*) > 0 FROM pg_locks").fetchone() == (True,)


def test_who_watches_the_server_goes_on_seeing_it(db):
    with owner_connection() as owner:
        assert owner.execute(
            "SELECT has_table_privilege('pg_monitor', 'pg_catalog.pg_stat_user_tables', 'SELECT'),"
            " has_function_privilege('pg_monitor', 'pg_catalog.pg_stat_get_live_tuples(oid)', 'EXECUTE'),"
            " has_table_privilege('pg_monitor', 'pg_catalog.pg_authid', 'SELECT')"
        ).fetchone() == (True, True, False)
