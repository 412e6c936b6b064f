"""The real stack of a drill: granian with four processes, workers, PostgreSQL and Valkey, as `make up` runs them.

This process is one more writer beside them: it finds them by the environment that the stack wrote down.
"""

import contextlib
import os
import random
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
import redis

from tests.drills.sink import Sink
from tests.stack import Plaza, eventually, running_plaza

if TYPE_CHECKING:
    from tenants.models import Member, Tenant

WEB_PROCESSES = 4
_PASSWORD = "market-square-2026"
# What a drill does not want to be refused for.
_PLENTY = 1_000_000


@dataclass(slots=True)
class Account:
    """A tenant with its owner, who is signed in."""

    tenant: "Tenant"
    owner: "Member"
    authorization: str

    @property
    def host(self) -> str:
        return f"{self.tenant.slug}.plaza.localhost"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": self.authorization}

    @property
    def sign_in(self) -> dict[str, str]:
        """The body of POST /api/v1/auth/token."""
        return {"email": self.owner.person.email, "password": _PASSWORD}


class Estate:
    """The running stack: who has an account in it, what its stores hold, and its processes by name."""

    def __init__(self, plaza: Plaza, seed: int, sink: Sink) -> None:
        self.plaza = plaza
        self.sink = sink
        self.seed = seed
        self.port = plaza.port
        self._owner_url = plaza.environment()["DATABASE_OWNER_URL"]
        self._redis_url = plaza.environment()["REDIS_URL"]

    def chance(self, name: str) -> random.Random:
        return random.Random(f"{name}:{self.seed}")

    def account(self, name: str) -> Account:
        """Sign up, with rates that nobody meets."""
        from billing.signup import sign_up
        from tenants.isolation import square_context
        from tests.drills.ground import hang_up

        hang_up()  # PostgreSQL may have been killed since
        slug = f"{name}-{self.seed}"
        with square_context():
            tenant = sign_up(
                organisation=name.title(), slug=slug, email=f"owner@{slug}.example",
                password=_PASSWORD, plan="growth", now=datetime.now(UTC),
            )  # fmt: skip
            owner = tenant.members.select_related("person").get()
        self.allow(tenant.pk)
        return Account(tenant, owner, self.token_of(owner))

    def token_of(self, member: "Member") -> str:
        from tenants.identity.tokens import issue
        from tenants.isolation import square_context

        with square_context():
            return f"Bearer {issue(member=member, now=datetime.now(UTC)).access}"

    def allow(
        self, tenant_id: UUID, rates: Mapping[str, tuple[int, int]] | None = None, **limits: Any
    ) -> None:
        """An override: no rate that is met, and these limits."""
        from django.db import transaction

        from quotas import entitlements
        from tenants.isolation import square_context

        with square_context(), transaction.atomic():
            entitlements.grant(
                tenant_id=tenant_id, source="drill", plan="", features=(), priority=100,
                limits={"api_calls": None, "contacts": None} | limits,
                rates={"tenant": (_PLENTY, 60), "credential": (_PLENTY, 60)} | dict(rates or {}),
                ladder={}, feature_ladder={}, now=datetime.now(UTC),
            )  # fmt: skip

    # --- what the stores hold ---------------------------------------------------------------------

    def rows(self, statement: str, *values: Any) -> list[Any]:
        with psycopg.connect(self._owner_url, autocommit=True) as connection:
            return connection.execute(statement, values).fetchall()

    def ledger(self, tenant_id: UUID, meter: str) -> int:
        """All that the ledger has of this meter, whatever the period."""
        found = self.rows(
            "SELECT coalesce(sum(used), 0)::bigint FROM quotas_usagetotal"
            " WHERE tenant_id = %s AND meter = %s",
            tenant_id, meter,
        )  # fmt: skip
        return int(found[0][0])

    def settled_calls(self, tenant_id: UUID) -> int:
        """API calls in the ledger once nothing is left to fold."""
        last = [-1, 0]

        def is_quiet() -> bool:
            now = self.ledger(tenant_id, "api_calls")
            last[1] = last[1] + 1 if now == last[0] else 0
            last[0] = now
            return last[1] >= 15

        eventually(is_quiet, seconds=120)
        return last[0]

    def contacts(self, account: Account) -> int:
        schema = account.tenant.schema_name
        return int(self.rows(f'SELECT count(*) FROM "{schema}".crm_contact')[0][0])

    def counted_by_redis(self, tenant_id: UUID) -> dict[str, int]:
        """base, counted and reserved of this month; empty where Redis has none."""
        client = redis.Redis.from_url(self._redis_url, socket_timeout=5)
        key = f"plaza:{{{tenant_id.hex}}}:api-calls:{datetime.now(UTC):%Y%m}"
        found = client.hgetall(key)
        client.close()
        return {
            name.decode(): int(value)
            for name, value in found.items()
            if name in {b"base", b"counted", b"reserved"}
        }

    def flush_redis(self) -> None:
        client = redis.Redis.from_url(self._redis_url, socket_timeout=5)
        client.flushall()
        client.close()

    # --- its processes ----------------------------------------------------------------------------

    def web_processes(self) -> list[int]:
        """Those that answer: the children of granian's first process."""
        return _children(self.plaza.process_id("web"))

    def task_processes(self) -> list[int]:
        return _children(self.plaza.process_id("worker"))

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)

    @contextlib.contextmanager
    def stopped(self, pid: int) -> Iterator[None]:
        """Frozen inside of the block."""
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    @contextlib.contextmanager
    def without_redis(self) -> Iterator[None]:
        """Killed, and not started again before the block ends: the supervisor is frozen meanwhile."""
        before = self.plaza.process_id("valkey")
        with self.stopped(self.plaza.supervisor_id):
            self.kill(before)
            yield
        eventually(lambda: self.is_restarted("valkey", before), seconds=30)

    def is_restarted(self, name: str, before: int) -> bool:
        return self.plaza.process_id(name) != before

    def await_ready(self, *, seconds: float = 60) -> None:
        def is_ready() -> bool:
            return self.plaza.readiness()["status"] == "ok"

        eventually(is_ready, seconds=seconds)
        eventually(lambda: len(self.web_processes()) == WEB_PROCESSES, seconds=seconds)


def _children(pid: int) -> list[int]:
    """Of any of its threads."""
    found: set[str] = set()
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for file in Path(f"/proc/{pid}/task").glob("*/children"):
            found |= set(file.read_text(encoding="ascii").split())
    return sorted(map(int, found))


@contextlib.contextmanager
def estate(seed: int) -> Iterator[Estate]:
    """Start the stack in a home of its own; afterwards it is gone."""
    with (
        Sink().running() as sink,
        tempfile.TemporaryDirectory(prefix="plaza-drill-") as folder,
    ):
        Path(folder).chmod(0o711)  # PostgreSQL's account passes
        more = {
            "GRANIAN_WORKERS": str(WEB_PROCESSES),
            "LOG_LEVEL": "WARNING",
            # A pause of a busy machine is no outage: without Redis API calls are not limited.
            "PLAZA_REDIS_TIMEOUT_MS": "1000",
            "EMAIL_URL": sink.url,
        }
        with running_plaza(Path(folder), keep_servers=False, **more) as plaza:
            _look_at(plaza)
            made = Estate(plaza, seed, sink)
            time.sleep(0.1)
            made.await_ready()
            yield made


def _look_at(plaza: Plaza) -> None:
    """From here on Django in this process works in the stack's stores, with the owner's sign-in too."""
    import django

    os.environ |= plaza.environment() | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "LOG_LEVEL": "ERROR",
    }
    django.setup()
