"""Reads that may go to a replica: a real streaming one, which is held up so that its answers are told apart."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import ProgrammingError, connections, transaction
from django.db.utils import InternalError
from django.test import Client

from apps.crm.models import Contact
from billing.services.grants import entitle
from config.context import Place, at_place, reading_from_replica
from quotas.models import Grant
from tenants import replicas
from tenants.engine import writes
from tenants.engine.base import DatabaseWrapper
from tenants.engine.writes import may_have_written
from tenants.isolation import square_context, tenant_context
from tests.client import Api
from tests.conftest import ACME_ID
from tests.factories import ContactFactory
from tests.streaming import Streaming
from tests.tenants.replica_stalls import CONTACTS, Stall, quiet, quiet_stalls, replicated


@pytest.fixture(scope="module")
def servers(django_db_blocker: Any) -> Iterator[Streaming]:
    with django_db_blocker.unblock(), replicated() as made:
        yield made


@pytest.fixture
def stalls(servers: Streaming, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Stall, Stall]]:
    """acme and globex, quiet for long; the replica is looked at each time."""
    monkeypatch.setattr(replicas, "LOOK_EVERY_SECONDS", 0.0001)
    with quiet_stalls(servers) as made:
        yield made


@pytest.fixture
def acme(stalls: tuple[Stall, Stall]) -> Stall:
    return stalls[0]


@pytest.fixture
def globex(stalls: tuple[Stall, Stall]) -> Stall:
    return stalls[1]


def test_who_asks_reads_from_the_replica_and_nobody_else(acme, servers, monkeypatch):
    acme.add("Old")
    with servers.held_up():
        acme.add("New")
        quiet()
        monkeypatch.setattr(settings, "REPLICA_MOST_LAG_SECONDS", 3600)

        assert acme.names() == (["Old"], "replica")
        assert acme.names(ask="primary") == (["New", "Old"], None)
        acme.api.get(CONTACTS)
        assert "X-Read-From" not in acme.api.last.headers
        assert (
            acme.api.client.head(CONTACTS, headers={"X-Read-From": "Replica "})["X-Read-From"]
            == "replica"
        )
        assert "X-Read-From" in acme.api.last.headers["Vary"]


def test_who_asks_is_found_out_at_the_primary(acme, servers, monkeypatch):
    """The token, its member and the plan's grants are newer than what the replica shows."""
    monkeypatch.setattr(settings, "REPLICA_MOST_LAG_SECONDS", 3600)
    with servers.held_up():
        fresh = Stall(acme.tenant, Api.signed_in(acme.tenant, role="read_only"))
        connections["default"].close()
        quiet()
        assert fresh.names() == ([], "replica")


def test_within_a_second_of_its_write_a_tenant_reads_from_the_primary(acme, globex):
    assert (acme.names(), globex.names()) == (([], "replica"), ([], "replica"))
    acme.add("New")
    written = time.monotonic()

    assert acme.names() == (["New"], "primary")
    assert globex.names() == ([], "replica")
    while acme.names()[1] == "primary":
        assert time.monotonic() - written < 5
    assert time.monotonic() - written >= 0.99
    assert acme.names() == (["New"], "replica")


def test_a_write_outside_of_requests_counts_too(acme, globex, now):
    with tenant_context(acme.tenant):
        ContactFactory(first_name="Task")
    connections["default"].close()

    assert acme.names() == (["Task"], "primary")
    assert globex.names() == ([], "replica")
    with square_context(), transaction.atomic():
        entitle(tenant_id=globex.tenant.id, plan="scale", now=now)  # as a webhook does
    connections["default"].close()
    assert globex.names() == ([], "primary")


def test_a_write_is_marked_before_its_commit_and_however_long_that_takes(acme):
    begun, go_on = threading.Event(), threading.Event()
    ours: Any = connections["default"]

    def write() -> None:
        mine: Any = DatabaseWrapper(ours.settings_dict, "default")
        mine._pool = ours._pool
        connections["default"] = mine
        with tenant_context(acme.tenant), transaction.atomic():
            ContactFactory()
            begun.set()
            go_on.wait(10)
        mine.close()

    thread = threading.Thread(target=write)
    thread.start()
    assert begun.wait(10)
    quiet()
    assert may_have_written(acme.tenant.id)
    go_on.set()
    thread.join()
    assert may_have_written(acme.tenant.id)
    quiet()
    assert not may_have_written(acme.tenant.id)


def test_what_is_rolled_back_is_forgotten_a_second_later(acme):
    with tenant_context(acme.tenant), transaction.atomic():
        ContactFactory()
        transaction.set_rollback(True)
    connections["default"].close()
    quiet()
    assert acme.names() == ([], "replica")


def test_an_unsafe_method_never_reads_from_the_replica(acme):
    assert acme.names()[1] == "replica"
    for verb, path, status in (("post", CONTACTS, 400), ("delete", f"{CONTACTS}/{ACME_ID}", 404)):
        getattr(acme.api, verb)(path, status=status, X_Read_From="replica")
        assert acme.api.last.headers["X-Read-From"] == "primary"


def test_a_replica_that_is_far_behind_is_not_asked(acme, servers, monkeypatch):
    monkeypatch.setattr(settings, "REPLICA_MOST_LAG_SECONDS", 1)
    with servers.held_up():
        assert acme.names() == ([], "replica")  # nothing was written: it is behind nothing
        acme.add("New")
        quiet()
        assert acme.names() == (["New"], "primary")
    assert acme.names() == (["New"], "replica")


def test_what_has_not_arrived_yet_is_the_primary_s_to_tell(acme, servers, monkeypatch):
    monkeypatch.setattr(settings, "REPLICA_MOST_LAG_SECONDS", 3600)
    with servers.held_up():
        path = f"{CONTACTS}/{acme.add('New')}"
        quiet()
        answer, source = acme.read(path)
        assert (answer["first_name"], source) == ("New", "primary")


def test_a_replica_that_goes_away_is_paused_and_the_primary_answers(acme, servers, monkeypatch):
    monkeypatch.setattr(replicas, "LOOK_EVERY_SECONDS", 1.0)
    monkeypatch.setattr(replicas, "PAUSE_SECONDS", 0.5)
    assert acme.names() == ([], "replica")
    servers.stop()
    try:
        # The first one comes before the next look, and finds it away in the middle of its work.
        assert [acme.names() for _ in range(3)] == [([], "primary")] * 3
        assert replicas.replica()._paused_until > time.monotonic()
    finally:
        servers.start()
    time.sleep(0.6)
    assert acme.names() == ([], "replica")


def test_a_replica_that_was_started_anew_is_asked_again_at_once(acme, servers):
    assert acme.names() == ([], "replica")
    servers.stop()
    servers.start()
    assert acme.names() == ([], "replica")


def test_a_replica_that_stands_still_costs_one_request_a_moment(acme, servers, monkeypatch):
    monkeypatch.setattr(replicas, "PATIENCE_SECONDS", 0.2)
    assert acme.names() == ([], "replica")
    with servers.frozen():
        assert [acme.names() for _ in range(2)] == [([], "primary")] * 2
    assert replicas.replica()._paused_until > time.monotonic()


def test_a_replica_that_was_promoted_or_is_no_replica_is_not_asked(acme, servers, monkeypatch):
    primary = {"HOST": "127.0.0.1", "PORT": str(servers.primary.port), "NAME": "plaza"}
    monkeypatch.setattr(settings, "DATABASE_REPLICA", primary)
    assert acme.names() == ([], "primary")


def test_without_redis_or_its_data_nobody_reads_from_the_replica(acme, monkeypatch):
    server = redis.Redis.from_url(settings.REDIS_URL)
    server.delete(writes.TRUST_KEY)
    assert [acme.names()[1] for _ in range(2)] == ["primary"] * 2
    monkeypatch.setattr(writes, "TRUSTED_AFTER_SECONDS", 0.05)
    time.sleep(0.06)
    assert acme.names()[1] == "replica"
    monkeypatch.setattr(settings, "REDIS_URL", "redis://127.0.0.1:1/0")
    assert acme.names()[1] == "primary"


def test_without_a_replica_everything_is_the_primary_s(acme, monkeypatch):
    monkeypatch.setattr(settings, "DATABASE_REPLICA", None)
    assert acme.names() == ([], "primary")
    assert "X-Read-From" not in Client().get("/livez").headers


def test_the_wall_stands_on_the_replica_too(acme, globex, servers):
    with tenant_context(globex.tenant):
        ContactFactory(email="b@globex.test")
    connections["default"].close()
    servers.catch_up()
    connection = connections["default"]
    with tenant_context(acme.tenant), reading_from_replica() as reading:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_is_in_recovery(), current_user::text, current_schema()::text")
            schema = acme.tenant.schema_name
            assert cursor.fetchone() == (True, schema, schema)
        assert reading.has_read
        assert set(Grant.objects.values_list("tenant_id", flat=True)) == {acme.tenant.id}
        for statement in (
            f'SELECT * FROM "{globex.tenant.schema_name}".crm_contact',
            "SELECT set_config('role', 'none', false)",
            "SELECT 1; RESET ROLE",
        ):
            with pytest.raises(ProgrammingError), connection.cursor() as cursor:
                cursor.execute(statement)
        with pytest.raises(InternalError, match="read-only"):
            ContactFactory()
        with at_place(Place.SQUARE), connection.cursor() as cursor:
            cursor.execute("SELECT pg_is_in_recovery()")
            assert cursor.fetchone() == (False,)
    with tenant_context(globex.tenant), reading_from_replica():
        assert list(Contact.objects.values_list("email", flat=True)) == ["b@globex.test"]
