"""What a drill stands on: a migrated database with two or more tenants, made by the product itself."""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import psycopg
from django.core.management import call_command
from django.db import connection

from billing.services import subscriptions
from config.ids import new_id
from quotas import api_calls
from tenants.engine.owner import owner_connection
from tenants.engine.pool import pool_of
from tenants.granting import prepare_rights
from tenants.isolation import owner_context, square_context, tenant_context
from tenants.models import Domain, Tenant
from tenants.preparing import prepare_roles
from tenants.provisioning import provision
from tenants.roles import drop_role_sql
from tenants.services import host_of
from tests import factories


@dataclass(slots=True)
class Ground:
    """The tenants of a drill, and each one's canary: a string that is nobody else's."""

    tenants: list[Tenant]
    canaries: dict[str, str]
    seed: int
    lacking: list[str] = field(default_factory=list)
    made_since: list[Tenant] = field(default_factory=list)

    def canary(self, tenant: Tenant) -> str:
        return self.canaries[tenant.slug]

    def part(self, first: int, count: int) -> "Ground":
        """The same with `count` of the tenants, so that one drill's rows are not in another's way."""
        return replace(self, tenants=self.tenants[first : first + count])

    def chance(self, name: str) -> random.Random:
        """The drill's own dice: the same for the same seed."""
        return random.Random(f"{name}:{self.seed}")


@contextmanager
def ground(*, tenants: int, seed: int) -> Iterator[Ground]:
    """Migrate, prepare, make the tenants with one canary contact each; roles go afterwards."""
    lacking = prepare_roles().lacking
    with owner_context():
        call_command("migrate_schemas", shared=True, interactive=False, verbosity=0)
    prepare_rights()
    lacking = _by_superuser(lacking)
    dice = random.Random(seed)
    made: list[Tenant] = []
    made_since: list[Tenant] = []
    canaries = {}
    try:
        for number in range(tenants):
            made.append(made_tenant(f"drill-{number}"))
            canaries[made[-1].slug] = f"canary-{number}-{dice.getrandbits(64):016x}"
            with tenant_context(made[-1]):
                factories.ContactFactory(first_name=canaries[made[-1].slug], email="a@drill.test")
        yield Ground(made, canaries, seed, lacking, made_since)
    finally:
        hang_up()
        _drop_roles([*made, *made_since])


def hang_up() -> None:
    """Close this thread's connection and all that wait in the pool."""
    connection.close()
    settings = connection.settings_dict
    pool_of(str(settings["NAME"]), int(settings["POOL_SIZE"])).close_idle()


def made_tenant(slug: str) -> Tenant:
    tenant_id = new_id()
    with square_context():
        tenant = Tenant.objects.create(
            id=tenant_id, schema_name=f"t_{tenant_id.hex}", slug=slug,
            organisation=f"{slug} Inc.", status=Tenant.Status.ACTIVE,
        )  # fmt: skip
        Domain.objects.create(domain=host_of(slug), tenant=tenant, is_primary=True)
        subscriptions.start(tenant=tenant, plan="growth", now=datetime.now(UTC))
    provision(tenant_id=tenant_id)
    return tenant


def _by_superuser(lacking: list[str]) -> list[str]:
    """Do what only a superuser may, where the environment names one; what is left."""
    url = os.environ.get("PLAZA_DRILL_SUPERUSER_URL")
    if not lacking or not url:
        return lacking
    name = connection.settings_dict["NAME"]
    with psycopg.connect(url, dbname=name, autocommit=True) as superuser:
        for statement in lacking:
            superuser.execute(statement)
    return []


def _drop_roles(tenants: list[Tenant]) -> None:
    """Roles belong to the cluster: they would outlive the drill's database."""
    with owner_connection() as owner:
        for tenant in tenants:
            owner.execute(f'DROP SCHEMA IF EXISTS "{tenant.schema_name}" CASCADE')
            owner.execute(drop_role_sql(tenant.schema_name))


def rows_of_everybody() -> dict[str, Any]:
    """A digest of each table of the square and the stalls, and of every right: what injected SQL may not change."""
    owner = _watcher()
    tables = owner.execute(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
        " WHERE schemaname IN ('public', 'plaza') OR schemaname LIKE 't\\_%' ORDER BY 1"
    ).fetchall()
    parts = [
        f"SELECT '{name}', md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {name} t"
        for (name,) in tables
    ]
    rows: dict[str, Any] = dict(owner.execute(" UNION ALL ".join(parts)).fetchall())
    for name, statement in _RIGHTS.items():
        rows[name] = owner.execute(statement).fetchall()
    return rows


@cache
def _watcher() -> "psycopg.Connection[Any]":
    """One session for all these questions: a new one would read the catalogue and plan 200 tables each time."""
    return owner_connection()


# Whoever tries to sign in at a tenant's host is told to that tenant, as its trail is for: no more than that.
_TOLD = "body->>'action' = 'sign_in.failed' AND body->>'actor_kind' = 'nobody'"


def rows_of(tenant: Tenant) -> dict[str, Any]:
    """A digest of each table's rows that are this tenant's: its schema's, and those of the square that bear its id.

    Attempts to sign in that its trail keeps are left out.
    """
    api_calls.flush()  # calls of its own that are not in the ledger yet
    with owner_connection() as owner:
        tables = owner.execute(
            "SELECT format('%%I.%%I', schemaname, tablename), 'true' FROM pg_tables WHERE schemaname = %s"
            " UNION ALL SELECT format('public.%%I', table_name), format('%%I = %%L', column_name, %s::text)"
            " FROM information_schema.columns"
            " WHERE table_schema = 'public' AND (column_name = 'tenant_id'"
            " OR (table_name, column_name) = ('tenants_tenant', 'id'))",
            [tenant.schema_name, str(tenant.pk)],
        ).fetchall()
        parts = [
            f"SELECT '{name}', count(*), md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), ''))"
            f" FROM {name} t WHERE {rows}"
            + (f" AND NOT ({_TOLD})" if name == "public.tenants_trailpending" else "")
            for name, rows in tables
        ]
        found = owner.execute(" UNION ALL ".join(parts)).fetchall()
    return {name: facts for name, *facts in found}


_RIGHTS = {
    "roles": "SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin,"
    " rolreplication, rolbypassrls, rolconnlimit, rolvaliduntil::text FROM pg_roles"
    " WHERE rolname LIKE 'plaza%' OR rolname IN (SELECT nspname FROM pg_namespace) ORDER BY 1",
    "memberships": "SELECT m.member::regrole::text, m.roleid::regrole::text FROM pg_auth_members m"
    " JOIN pg_namespace n ON n.nspname IN (m.member::regrole::text, m.roleid::regrole::text)"
    " ORDER BY 1, 2",
    "relations": "SELECT oid::regclass::text, relacl::text, relrowsecurity, relforcerowsecurity"
    " FROM pg_class WHERE relnamespace::regnamespace::text <> 'pg_toast' ORDER BY 1",
    "functions": "SELECT oid::regprocedure::text, proacl::text, md5(prosrc) FROM pg_proc"
    " WHERE proacl IS NOT NULL OR pronamespace::regnamespace::text NOT IN ('pg_catalog') ORDER BY 1",
    "policies": "SELECT * FROM pg_policies ORDER BY schemaname, tablename, policyname",
    "schemas": "SELECT nspname, nspacl::text FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' ORDER BY 1",
    "settings": "SELECT s.setrole::regrole::text, s.setconfig FROM pg_db_role_setting s"
    " JOIN pg_namespace n ON n.nspname = s.setrole::regrole::text ORDER BY 1",
    "large objects": "SELECT oid FROM pg_largeobject_metadata ORDER BY 1",
    "extensions": "SELECT extname FROM pg_extension ORDER BY 1",
}
