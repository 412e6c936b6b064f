"""Two tenants on servers of their own, a primary and a streaming replica, and on the product's own engine."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import connections

from apps.crm.models import Contact
from config import env
from tenants import replicas
from tenants.engine import writes
from tenants.engine.base import DatabaseWrapper
from tenants.engine.bindings import lookup_binding, square_binding, stall_binding
from tenants.engine.pool import Pool
from tenants.finding import read_snapshot
from tenants.fleet.square import migrate_square
from tenants.isolation import tenant_context
from tenants.models import Tenant
from tenants.preparing import prepare_roles
from tenants.provisioning import provision
from tests.client import Api
from tests.conftest import ACME_ID, GLOBEX_ID, _plant, _tenant_row
from tests.streaming import Streaming, streaming

CONTACTS = "/api/v1/contacts"


@contextmanager
def replicated() -> Iterator[Streaming]:
    """A migrated primary with the two tenants, and a replica of it. Meanwhile they are the settings' database."""
    patch = pytest.MonkeyPatch()
    storage: Any = connections._connections  # type: ignore[attr-defined]
    with streaming() as made:
        name = {
            "DATABASE_URL": "WEB",
            "DATABASE_SQUARE_URL": "SQUARE",
            "DATABASE_OWNER_URL": "OWNER",
        }
        for variable, address in made.primary.urls().items():
            patch.setattr(settings, f"DATABASE_{name[variable]}", env.database(variable, address))
        patch.setattr(
            settings, "DATABASE_REPLICA", {"HOST": "127.0.0.1", "PORT": "1", "NAME": "plaza"}
        )
        _forget_bindings()
        default = connections["default"].settings_dict | settings.DATABASE_WEB
        wrapper = DatabaseWrapper(default, "default")
        pool = Pool(6)
        wrapper._pool = lambda: pool  # type: ignore[method-assign]
        earlier = connections["default"]
        storage.default = wrapper
        try:
            _prepare()
            made.copy()
            replica = {"HOST": "127.0.0.1", "PORT": str(made.port), "NAME": "plaza"}
            patch.setattr(settings, "DATABASE_REPLICA", replica)
            yield made
        finally:
            wrapper.close()
            pool.close_idle()
            storage.default = earlier
            patch.undo()
            _forget_bindings()


def _forget_bindings() -> None:
    for made in (stall_binding, square_binding, lookup_binding):
        made.cache_clear()


def _prepare() -> None:
    prepare_roles()
    migrate_square()
    for tenant_id, slug in ((ACME_ID, "acme"), (GLOBEX_ID, "globex")):
        provision(tenant_id=_tenant_row(tenant_id, slug).id)


@dataclass
class Stall:
    """A tenant's API, asked as by separate requests."""

    tenant: Tenant
    api: Api

    def read(self, path: str = CONTACTS, *, ask: str = "replica") -> tuple[Any, str | None]:
        """The parsed answer, and where it says that it comes from."""
        answer = self.api.get(path, X_Read_From=ask)
        connections["default"].close()
        return answer, self.api.last.headers.get("X-Read-From")

    def names(self, *, ask: str = "replica") -> tuple[list[str], str | None]:
        answer, source = self.read(ask=ask)
        return [contact["first_name"] for contact in answer["results"]], source

    def add(self, name: str) -> str:
        made = self.api.post(CONTACTS, {"first_name": name, "email": f"{name.lower()}@x.test"})
        connections["default"].close()
        return str(made["id"])


@contextmanager
def quiet_stalls(servers: Streaming) -> Iterator[tuple[Stall, Stall]]:
    """acme and globex without contacts, quiet for long; Redis is trusted, and nobody has looked at the replica."""
    server = redis.Redis.from_url(settings.REDIS_URL)
    server.flushdb()
    plans = ((ACME_ID, "acme", "growth"), (GLOBEX_ID, "globex", "starter"))
    made = [_plant(*each) for each in plans]
    found = tuple(Stall(tenant, Api.signed_in(tenant)) for tenant in made)
    for tenant in made:
        with tenant_context(tenant):
            Contact.objects.all().delete()
    connections["default"].close()
    servers.catch_up()
    server.flushdb()
    server.set(writes.TRUST_KEY, 1)
    server.close()
    for tenant in made:
        read_snapshot(tenant.pk, is_kept=True)  # which locks a row, and so is news for the replica
    connections["default"].close()
    servers.catch_up()
    replicas._replica_at.cache_clear()
    known = replicas.replica()
    yield found[0], found[1]
    known._forget_connection()
    connections["default"].close()


def quiet() -> None:
    """Wait until nobody's write is less than a second old."""
    time.sleep(writes.QUIET_SECONDS + 0.05)
