"""What the owner writes on connections of its own is marked too: nobody reads an older state from the replica."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from psycopg.errors import UniqueViolation

from billing.services import copies, subscriptions
from tenants import archives, replicas
from tenants.engine.owner import owner_connection, writing
from tenants.engine.writes import may_have_written
from tenants.fleet.connections import Connections
from tenants.fleet.ledger import Laggard
from tenants.fleet.patience import Patience
from tenants.fleet.replay import Recording, Replay, Replayed
from tenants.fleet.steps import Todo
from tenants.isolation import tenant_context
from tests.client import Api
from tests.conftest import ACME_ID
from tests.factories import ContactFactory
from tests.streaming import Streaming
from tests.tenants.endings import own_files, quiet  # noqa: F401
from tests.tenants.replica_stalls import Stall, quiet_stalls, replicated
from tests.tenants.replica_stalls import quiet as a_second_later


@pytest.fixture(scope="module")
def servers(django_db_blocker: Any) -> Iterator[Streaming]:
    with django_db_blocker.unblock(), replicated() as made:
        yield made


@pytest.fixture
def acme(servers: Streaming, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stall]:
    """Quiet for long; the replica is looked at each time, and may be as old as it likes."""
    monkeypatch.setattr(replicas, "LOOK_EVERY_SECONDS", 0.0001)
    monkeypatch.setattr(settings, "REPLICA_MOST_LAG_SECONDS", 3600)
    with quiet_stalls(servers) as made:
        yield made[0]


@pytest.mark.usefixtures("own_files")
def test_a_tenant_just_imported_is_read_from_the_primary(acme, servers, now, tmp_path: Path):
    with tenant_context(acme.tenant):
        ContactFactory(first_name="Carried")
    copies.export_to(tenant_id=ACME_ID, to=tmp_path / "acme.zip", now=now, tell=quiet)
    connections["default"].close()
    with servers.held_up():
        restored = archives.restore_from(
            path=tmp_path / "acme.zip", slug="nova", organisation="",
            is_foreign_allowed=False, now=now, tell=quiet,
        )  # fmt: skip
        assert may_have_written(restored.tenant.id)
        subscriptions.start(tenant=restored.tenant, plan="growth", now=now)
        nova = archives.finished(tenant_id=restored.tenant.id, now=now)
        stall = Stall(nova, Api.signed_in(nova))
        connections["default"].close()
        assert stall.names() == (["Carried"], "primary")
    a_second_later()
    assert stall.names() == (["Carried"], "replica")


def test_a_tenant_just_migrated_is_read_from_the_primary(acme, servers):
    acme.add("Old")
    a_second_later()
    schema = acme.tenant.schema_name
    laggard = Laggard(acme.tenant.id, schema, "acme", "", "steady", is_demo=False, half_way="")
    step: Any = SimpleNamespace(rows=[("crm", "9999_drill")])
    recording = Recording((), "", ("UPDATE crm_contact SET first_name = 'Migrated'",))
    held = Connections(1)
    replay = Replay(held, version="as before", patience=Patience(1_000, 1))
    with servers.held_up():
        done = replay.batch(recording, [(laggard, Todo((step,), ()))])
        assert done == [Replayed(laggard)]
        assert acme.names() == (["Migrated"], "primary")
    held.close()
    a_second_later()
    assert acme.names() == (["Migrated"], "replica")


def test_the_mark_is_there_before_the_commit(acme):
    def fail_at_the_commit() -> None:
        with owner_connection() as owner, writing(owner, ACME_ID):
            owner.execute("CREATE TEMP TABLE one (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
            owner.execute("INSERT INTO one VALUES (1), (1)")
            assert not may_have_written(ACME_ID)

    with pytest.raises(UniqueViolation):
        fail_at_the_commit()
    assert may_have_written(ACME_ID)


def test_without_a_replica_nothing_is_marked(acme, monkeypatch):
    monkeypatch.setattr(settings, "DATABASE_REPLICA", None)
    with owner_connection() as owner, writing(owner, ACME_ID):
        owner.execute("SELECT 1")
    assert not may_have_written(ACME_ID)
