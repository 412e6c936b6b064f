"""Fixtures: two tenants with a schema each, made once per test database; their rows are planted per test.

A test rolls back. One that commits (`django_db(transaction=True)`) is cleaned up after in the tenant
schemas too, which Django's own flush does not see.
"""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import redis
from django.conf import settings
from django.core.management.commands import flush
from django.db import connection as any_connection
from django.utils import translation

from config import context
from config.celery import app as celery_app
from config.ids import new_id
from tests.client import Api
from tests.engine.written import MIGRATED, WRITTEN

ACME_ID = UUID("01900000-0000-7000-8000-00000000acde")
GLOBEX_ID = UUID("01900000-0000-7000-8000-0000000910be")
# A browser of their own, and a stack: `make test-pages`.
collect_ignore = [] if os.environ.get("PLAZA_PAGES") else ["pages"]
connection: Any = any_connection


def _own_redis() -> None:
    """Each xdist worker counts in a Redis database of its own."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker:
        base, _, first = settings.REDIS_URL.rpartition("/")
        index = int(first or 0) + 1 + int(worker.removeprefix("gw"))
        settings.REDIS_URL = f"{base}/{index}"
        settings.CACHES["default"]["LOCATION"] = settings.REDIS_URL
        # What a test promises must not reach the worker of a journey beside it.
        queue: Any = celery_app.conf
        queue.broker_url = queue.broker_read_url = queue.broker_write_url = settings.REDIS_URL
        settings.CELERY_BROKER_URL = settings.REDIS_URL


_own_redis()


# By file: when its tests begin. The attacks of `test_drills.py` are on roles of the cluster, at which tests of
# the doctor look: they come last.
_TURNS = {"test_stack_drills.py": 0, "test_journeys.py": 1, "test_drills.py": 3}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, so that nobody waits for the one worker that began them last."""
    items.sort(key=lambda item: _TURNS.get(item.path.name, 2))
    # Whoever imports the web server's entry begins to serve; what tests plant has no place to say.
    context._serving = False


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The schemas of the two tenants, made by the real provisioning."""
    from tenants.crossing import again_where_crossed
    from tenants.granting import prepare_rights
    from tenants.preparing import prepare_roles
    from tenants.provisioning import provision

    with django_db_blocker.unblock():
        prepare_roles()
        prepare_rights()
        again_where_crossed(_let_owner_take_roles)
        for tenant_id, slug in ((ACME_ID, "acme"), (GLOBEX_ID, "globex")):
            tenant = _tenant_row(tenant_id, slug)
            provision(tenant_id=tenant.id)
            tenant.delete()
    with pytest.MonkeyPatch.context() as patched:
        # Content types and permissions stay where tables are emptied (tests/engine): a flush need not
        # make them again.
        patched.setattr(flush, "emit_post_migrate_signal", lambda *_: None)
        yield


def _let_owner_take_roles() -> None:
    """The tests' engine signs in as the owner and takes each place's role."""
    from tenants.engine.owner import owner_connection
    from tenants.roles import LOOKUP, SQUARE, WEB

    with owner_connection() as owner:
        owner.execute(f"GRANT {WEB}, {SQUARE}, {LOOKUP} TO CURRENT_USER")


def _tenant_row(tenant_id: UUID, slug: str) -> Any:
    from tenants.models import Domain, Tenant
    from tenants.services import host_of

    tenant, _ = Tenant.objects.get_or_create(
        id=tenant_id,
        defaults={
            "schema_name": f"t_{tenant_id.hex}",
            "slug": slug,
            "organisation": f"{slug.title()} Inc.",
            "status": Tenant.Status.ACTIVE,
        },
    )
    Domain.objects.get_or_create(
        domain=host_of(slug), defaults={"tenant": tenant, "is_primary": True}
    )
    return tenant


def _plant(tenant_id: UUID, slug: str, plan: str) -> Any:
    from billing.services import subscriptions

    tenant = _tenant_row(tenant_id, slug)
    subscriptions.start(tenant=tenant, plan=plan, now=datetime.now(UTC))
    return tenant


@pytest.fixture
def acme(db: None) -> Any:
    """An active tenant on the plan `growth`."""
    return _plant(ACME_ID, "acme", "growth")


@pytest.fixture
def globex(db: None) -> Any:
    """Another active tenant, on the plan `starter`."""
    return _plant(GLOBEX_ID, "globex", "starter")


@pytest.fixture
def api() -> Callable[..., Api]:
    """`api(tenant, role="owner")`: a client of that tenant's API, signed in."""
    return Api.signed_in


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(autouse=True)
def _fresh_redis(request: pytest.FixtureRequest) -> None:
    """No counter of an earlier test is left."""
    asks = {"db", "transactional_db"} & set(request.fixturenames)
    if asks or request.node.get_closest_marker("django_db"):
        _redis_at(settings.REDIS_URL).flushdb()


@cache
def _redis_at(url: str) -> redis.Redis:
    return redis.Redis.from_url(url)


@pytest.fixture(autouse=True)
def _patient_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause of a busy machine is no outage, except to the test that measures one."""
    monkeypatch.setattr("config.quick_redis.TIMEOUT_SECONDS", 1.0)
    monkeypatch.setattr("config.quick_redis.SILENCE_SECONDS", 60.0)
    monkeypatch.setattr("tenants.slots._LOOK_SECONDS", 1.0)


@pytest.fixture(scope="session")
def spools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spools")


@pytest.fixture(autouse=True)
def _nothing_remembered(spools: Path, settings: Any) -> Iterator[None]:
    """What this process knew of the tenants of an earlier test, and counted for them, ends with it."""
    from quotas import callers, explanations
    from quotas.spool import end_spool
    from tenants.snapshots import snapshots

    settings.PLAZA_SPOOL = spools / new_id().hex  # made when it is first counted in
    yield
    snapshots.clear()
    explanations.clear()
    callers.clear()
    end_spool(is_folded=True)


@pytest.fixture(autouse=True)
def _at_public_again() -> Iterator[None]:
    """What a test asked of the connection by django-tenants' own API ends with it, and so does its language."""
    yield
    connection.set_schema_to_public()
    translation.deactivate()


@pytest.fixture(autouse=True)
def _nothing_left_in_tenant_schemas(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    marker = request.node.get_closest_marker("django_db")
    commits = "transactional_db" in request.fixturenames or (
        marker is not None and marker.kwargs.get("transaction")
    )
    if commits:
        request.getfixturevalue("django_db_blocker").unblock()
        try:
            _empty_tenant_schemas()
        finally:
            request.getfixturevalue("django_db_blocker").restore()


def _empty_tenant_schemas() -> None:
    """Truncate the two tenants' tables, and drop the schemas that the test itself made."""
    from tenants.isolation import owner_context
    from tenants.roles import drop_role_sql

    kept = {f"t_{tenant_id.hex}" for tenant_id in (ACME_ID, GLOBEX_ID)}
    with owner_context(), connection.cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 't\\_%%'")
        for schema in {row[0] for row in cursor.fetchall()} - kept:
            # At once: a role alone is a fault that the doctor's tests beside this one would find.
            cursor.execute(f'DROP SCHEMA "{schema}" CASCADE; {drop_role_sql(schema)}')
        cursor.execute(WRITTEN, [sorted(kept), list(MIGRATED)])
        tables = [row[0] for row in cursor.fetchall()]
        if tables:
            cursor.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
