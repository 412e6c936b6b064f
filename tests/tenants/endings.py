"""A tenant with something in every store, and a look at what there is of it: for the tests of its end and its copies."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import redis
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.module_loading import import_string
from psycopg import sql

from billing.services import copies, subscriptions
from config.models import OutboxMessage
from config.needs import Meter, Role
from quotas import ledger
from tenants import services
from tenants.engine.owner import owner_connection
from tenants.identity.keys import create_key
from tenants.identity.people import add_member
from tenants.identity.tokens import issue
from tenants.isolation import tenant_context
from tenants.models import Member, Person, Tenant
from tenants.provisioning import provision
from tenants.roles import create_role_sql
from tests.factories import CompanyFactory, ContactFactory


@pytest.fixture
def own_files(settings: Any, tmp_path: Path) -> Path:
    """Files of this test alone: other tests make some at the same time."""
    place = tmp_path / "files"
    storage = settings.STORAGES["default"]
    own = storage | {"OPTIONS": storage["OPTIONS"] | {"location": place}}
    settings.STORAGES = settings.STORAGES | {"default": own}
    return place


def quiet(_: str) -> None:
    """Tell nobody."""


class Killed(BaseException):
    """Stands for the process's end: nothing of ours catches it."""


def dying(moment: int) -> Callable[[str], None]:
    """A `tell` that kills the work at its `moment`-th word."""
    heard: Iterator[int] = iter(range(moment))

    def tell(_: str) -> None:
        if next(heard, None) is None:
            raise Killed

    return tell


def furnished(slug: str, *, people: tuple[str, ...] = (), contacts: int = 3) -> Tenant:
    """An active tenant with contacts, members, credentials, usage, files, keys and a session."""
    now = datetime.now(UTC)
    tenant = services.reserve(slug=slug, organisation=f"{slug.title()} Inc.")
    subscriptions.start(tenant=tenant, plan="growth", now=now)
    provision(tenant_id=tenant.id)
    with closing(owner_connection()) as owner:
        owner.execute(create_role_sql(tenant.schema_name).encode())
    tenant = services.activate(tenant_id=tenant.id)
    emails = people or (f"owner@{slug}.test", f"admin@{slug}.test")
    for number, email in enumerate(emails):
        _member(tenant, email, Role.OWNER if number == 0 else Role.ADMIN, now)
    with tenant_context(tenant):
        company = CompanyFactory(name=f'{slug} & Söhne, "Ltd"\nSan José')
        for number in range(contacts):
            ContactFactory(email=f"c{number}@{slug}.test", company=company)
    _outside(tenant)
    return tenant


def _member(tenant: Tenant, email: str, role: Role, now: datetime) -> None:
    person = Person.objects.filter(email=email).first() or Person.objects.create_user(
        email, "market-square-2026", name=email.title()
    )
    with transaction.atomic():
        member = add_member(tenant=tenant, person=person, role=role)
        ledger.consume(
            tenant_id=tenant.id, meter=Meter.SEATS, quantity=1, key=f"member:{member.pk}", now=now
        )
    issue(member=member, now=now)
    create_key(tenant_id=tenant.id, name="robot", scopes=["read"], created_by_id=member.pk, now=now)
    with tenant_context(tenant):
        session: SessionBase = import_string(f"{settings.SESSION_ENGINE}.SessionStore")()
        session["plaza_tenant"] = str(tenant.id)
        session.create()


def _outside(tenant: Tenant) -> None:
    """Files, Redis keys as the gate and the cache spell them, and a promised task."""
    default_storage.save(f"{tenant.id}/imports/first.csv", ContentFile(b"a,b\n1,2\n"))
    default_storage.save(f"{tenant.id}/logo.bin", ContentFile(bytes(range(256))))
    server = redis.Redis.from_url(settings.REDIS_URL)
    server.hset(f"plaza:{{{tenant.id.hex}}}:calls:202611", "counted", 5)
    server.set(f"{tenant.schema_name}:plaza:1:thing", "x")
    server.close()
    OutboxMessage.objects.create(
        task="crm.nothing", arguments={}, headers={"plaza_tenant": str(tenant.id)}
    )


def imported(
    path: Path,
    slug: str = "nova",
    *,
    plan: str = "free",
    organisation: str = "",
    is_foreign_allowed: bool = False,
    tell: Callable[[str], None] = quiet,
) -> Tenant:
    """An archive restored as a new tenant."""
    return copies.import_from(
        path=path,
        slug=slug,
        organisation=organisation,
        plan=plan,
        is_foreign_allowed=is_foreign_allowed,
        now=datetime.now(UTC),
        tell=tell,
    )


def past_window(tenant: Tenant) -> datetime:
    """A moment at which a tenant closed today may be erased."""
    return datetime.now(UTC) + timedelta(days=settings.PLAZA_CLOSING_DAYS + 1)


# The certificate, and the operators' own trail, which tells that it was erased (here not sealed yet).
LEFT_OF_ERASED = {"tenants_erasure": 1, "tenants_trailpending": 1}


def traces(tenant_id: UUID) -> dict[str, int]:
    """How often the tenant's id occurs, in any spelling: in every row of public, in catalogs, files and keys."""
    found: dict[str, int] = {}
    with closing(owner_connection()) as owner:
        tables = owner.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
        ).fetchall()
        for (table,) in tables:
            command = sql.SQL(
                "SELECT count(*) FROM public.{} AS r WHERE replace(r::text, '-', '') LIKE %s"
            ).format(sql.Identifier(table))
            row = owner.execute(command, [f"%{tenant_id.hex}%"]).fetchone()
            found[table] = row[0] if row else 0
        found |= _outside_traces(owner, tenant_id)
    return {place: count for place, count in found.items() if count}


def _outside_traces(owner: Any, tenant_id: UUID) -> dict[str, int]:
    schema = f"t_{tenant_id.hex}"
    server = redis.Redis.from_url(settings.REDIS_URL)
    keys = [key for key in server.scan_iter() if tenant_id.hex.encode() in key]
    server.close()
    names = "SELECT count(*) FROM pg_namespace WHERE nspname = %s"
    roles = "SELECT count(*) FROM pg_roles WHERE rolname = %s"
    return {
        "schema": owner.execute(names, [schema]).fetchone()[0],
        "role": owner.execute(roles, [schema]).fetchone()[0],
        "folder": int(default_storage.exists(str(tenant_id))),
        "keys": len(keys),
    }


def checksum(tenant: Tenant) -> str:
    """Of every row of the tenant's schema and every row of public that carries its id."""
    digest = hashlib.sha256()
    with closing(owner_connection()) as owner:
        tables = owner.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN (%s, 'public') ORDER BY 1, 2",
            [tenant.schema_name],
        ).fetchall()
        for schema, table in tables:
            condition = "" if schema != "public" else " WHERE r::text LIKE %s"
            command = sql.SQL(
                "SELECT coalesce(string_agg(r::text, '|' ORDER BY r::text), '') FROM {}.{} AS r"
            ).format(sql.Identifier(schema), sql.Identifier(table)) + sql.SQL(condition)
            row = owner.execute(command, [f"%{tenant.id}%"] if condition else []).fetchone()
            digest.update(f"{schema}.{table}:{row[0] if row else ''}\n".encode())
    return digest.hexdigest()


def members(tenant: Tenant) -> list[tuple[str, str]]:
    rows = Member.objects.filter(tenant=tenant).order_by("person__email")
    return [(row.person.email, row.role) for row in rows.select_related("person")]
