"""A tenant's version: pending, commit, publish; and who finds what at each moment of it."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import connections, transaction
from django.db.transaction import TransactionManagementError

from config.context import reading_from_replica
from config.ids import new_id
from config.needs import Role
from config.quick_redis import quick_redis
from tenants import versions
from tenants.finding import read_snapshot, tenant_id_at
from tenants.identity.people import add_member
from tenants.isolation import square_context
from tenants.models import ApiKey, Domain, Member, Tenant, TenantVersion
from tenants.services import host_of, suspend
from tenants.snapshots import snapshots
from tenants.versions import publish_recent, settled, touch, version_key
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sol() -> Tenant:
    tenant = factories.TenantFactory.create(status=Tenant.Status.ACTIVE)
    Domain.objects.create(tenant=tenant, domain=host_of(tenant.slug), is_primary=True)
    return tenant


def told(tenant: Tenant) -> str:
    """What Redis says."""
    with closing(redis.Redis.from_url(settings.REDIS_URL)) as server:
        found = server.get(version_key(tenant.pk))
    return found.decode() if isinstance(found, bytes) else ""


def say(tenant: Tenant, token: str) -> None:
    with closing(redis.Redis.from_url(settings.REDIS_URL)) as server:
        server.set(version_key(tenant.pk), token)


def kept(tenant: Tenant) -> str:
    """What PostgreSQL says."""
    return TenantVersion.objects.get(pk=tenant.pk).token


def in_a_thread(work: Callable[[], Any]) -> Any:
    """Another process's connection does it."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(work())
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(20)
    return found[0]


def test_a_change_is_pending_until_it_commits_and_then_in_force(sol: Tenant) -> None:
    before = settled(sol.pk)
    with transaction.atomic():
        touch(sol.pk)
        assert told(sol) == before  # the mark is the last thing before the commit
    assert (told(sol), told(sol) == before) == (kept(sol), False)


def test_a_change_that_is_rolled_back_changes_no_version(sol: Tenant) -> None:
    before = settled(sol.pk)
    with transaction.atomic():
        touch(sol.pk)
        transaction.set_rollback(True)
    assert (told(sol), kept(sol)) == (before, before)


def test_whoever_is_ended_in_the_last_moment_before_the_commit_leaves_no_transaction_open(
    sol: Tenant,
) -> None:
    connection: Any = connections["default"]

    def end() -> Any:
        raise SystemExit

    @transaction.atomic
    def ended() -> None:
        Tenant.objects.filter(pk=sol.pk).update(organisation="Lost")
        connection.before_commit(new_id(), end)

    with pytest.raises(SystemExit):
        ended()
    Tenant.objects.filter(pk=sol.pk).update(organisation="Kept")
    there = in_a_thread(lambda: Tenant.objects.get(pk=sol.pk).organisation)
    assert (connection.get_autocommit(), there) == (True, "Kept")


def test_outside_a_transaction_no_version_changes(sol: Tenant) -> None:
    with pytest.raises(TransactionManagementError):
        touch(sol.pk)


def test_while_a_writer_holds_the_row_nobody_keeps_what_he_reads(sol: Tenant) -> None:
    before = settled(sol.pk)
    with transaction.atomic():
        TenantVersion.objects.filter(pk=sol.pk).update(token="f" * 32)
        say(sol, "pending:" + "f" * 32)
        assert in_a_thread(lambda: settled(sol.pk)) is None
        assert in_a_thread(lambda: read_snapshot(sol.pk, is_kept=True)).version is None
        transaction.set_rollback(True)
    # He is gone, and his mark with him: what stands in PostgreSQL is in force.
    assert in_a_thread(lambda: settled(sol.pk)) == before
    assert told(sol) == before


@pytest.mark.parametrize("said", ["", "pending:dead", "older"])
def test_a_version_that_redis_lost_or_never_heard_of_is_put_right_by_the_next_reader(
    sol: Tenant, said: str
) -> None:
    settled(sol.pk)
    with closing(redis.Redis.from_url(settings.REDIS_URL)) as server:
        server.delete(version_key(sol.pk))
    if said:
        say(sol, said)
    assert settled(sol.pk) == kept(sol)
    assert told(sol) == kept(sol)


def test_a_late_publisher_does_not_hide_the_mark_of_the_next_writer(sol: Tenant) -> None:
    say(sol, "pending:next")
    versions._publish(sol.pk, "last")
    assert told(sol) == "pending:next"
    say(sol, "pending:last")
    versions._publish(sol.pk, "last")
    assert told(sol) == "last"


CHANGES: dict[str, Callable[[Tenant, Member], Any]] = {
    "status": lambda tenant, _: suspend(tenant_id=tenant.pk, reason="Abuse."),
    "slug": lambda tenant, _: Tenant.objects.filter(pk=tenant.pk).update(slug="luna"),
    "role": lambda _, member: Member.objects.filter(pk=member.pk).update(role=Role.READ_ONLY),
    "member": lambda _, member: member.delete(),
    "person": lambda _, member: (
        type(member.person).objects.filter(pk=member.person_id).update(is_active=False)
    ),
    "domain": lambda tenant, _: Domain.objects.filter(tenant=tenant).delete(),
    "key": lambda tenant, _: ApiKey.objects.filter(tenant=tenant).update(
        revoked_at=datetime.now(UTC)
    ),
    "password": lambda _, member: member.person.save(update_fields=["password"]),
    "grant": lambda tenant, _: factories.GrantFactory.create(tenant_id=tenant.pk),
    "hold": lambda tenant, _: factories.HoldFactory.create(tenant_id=tenant.pk),
}


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_a_snapshot_holds_changes_the_version(sol: Tenant, what: str) -> None:
    member = factories.MemberFactory.create(tenant=sol, role=Role.OWNER)
    factories.ApiKeyFactory.create(tenant=sol, created_by=member)
    before = settled(sol.pk)
    snapshot = read_snapshot(sol.pk, is_kept=True)
    assert snapshot is not None
    CHANGES[what](sol, member)
    assert [told(sol) == before, kept(sol) == before, snapshot.is_spoilt] == [False, False, True]
    assert told(sol) == kept(sol)


@pytest.mark.parametrize("what", ["last_used_at", "last_login", "schema_version", "a new member"])
def test_what_no_snapshot_reads_changes_no_version(sol: Tenant, what: str) -> None:
    member = factories.MemberFactory.create(tenant=sol, role=Role.OWNER)
    key = factories.ApiKeyFactory.create(tenant=sol, created_by=member)
    before = settled(sol.pk)
    match what:
        case "last_used_at":
            ApiKey.objects.filter(pk=key.pk).update(last_used_at=datetime.now(UTC))
        case "last_login":
            member.person.save(update_fields=["last_login"])
        case "schema_version":
            Tenant.objects.filter(pk=sol.pk).update(schema_version="x")
        case _:
            add_member(tenant=sol, person=factories.PersonFactory.create(), role=Role.MEMBER)
    assert (told(sol), kept(sol)) == (before, before)


def test_two_writers_of_two_tenants_in_any_order_never_wait_for_each_other(sol: Tenant) -> None:
    luna = factories.TenantFactory.create()
    both = threading.Barrier(2)

    def change(first: Tenant, second: Tenant) -> bool:
        with transaction.atomic():
            touch(first.pk)
            both.wait(20)
            touch(second.pk)
        return True

    with ThreadPoolExecutor(1) as other:
        theirs = other.submit(in_a_thread, lambda: change(luna, sol))
        assert change(sol, luna)
        assert theirs.result(20)
    assert [told(sol), told(luna)] == [kept(sol), kept(luna)]


def test_the_clock_tells_redis_of_what_it_did_not_hear(sol: Tenant) -> None:
    settled(sol.pk)
    say(sol, "what it knew before it went away")
    now = datetime.now(UTC)
    with square_context():
        assert publish_recent(now=now, within=timedelta(hours=1)) == 1
        assert publish_recent(now=now, within=timedelta(hours=1)) == 0
    assert told(sol) == kept(sol)


def test_a_process_that_connects_anew_forgets_its_snapshots(sol: Tenant) -> None:
    host = host_of(sol.slug)
    assert tenant_id_at(host) == sol.pk
    assert read_snapshot(sol.pk, is_kept=True) is snapshots.at_host(host)
    quick_redis()._connected += 1  # as after a restart of Redis, with what it had saved before
    assert snapshots.at_host(host) is None


def test_a_host_that_moved_to_another_tenant_is_not_found_by_the_old_snapshot(sol: Tenant) -> None:
    luna, host = factories.TenantFactory.create(status=Tenant.Status.ACTIVE), host_of(sol.slug)
    read_snapshot(sol.pk, is_kept=True)
    Domain.objects.filter(domain=host).update(tenant=luna)
    read_snapshot(sol.pk, is_kept=True)
    assert snapshots.at_host(host) is None
    assert tenant_id_at(host) == luna.pk


def test_what_a_replica_said_is_not_kept(sol: Tenant) -> None:
    snapshot, now = read_snapshot(sol.pk, is_kept=True), datetime.now(UTC)
    assert snapshot is not None
    with reading_from_replica():
        snapshot.keep("plan", "of before")
    assert snapshot.recall("plan", now=now) is None
    snapshot.keep("plan", "of now")
    assert snapshot.recall("plan", now=now) == "of now"
