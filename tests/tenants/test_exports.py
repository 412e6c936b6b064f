"""Exports that a person asked for: made once, resumed after a kill, told by mail, gone after their days."""

import subprocess
import sys
import time
from contextlib import closing
from datetime import timedelta

import pytest
from django.core import mail
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction

from billing.services import copies
from config.models import OutboxMessage
from quotas import storage
from quotas.tasks import measure_storage
from tenants import archives
from tenants.engine.owner import owner_connection
from tenants.models import Archive, Member, Person, Tenant
from tenants.services import TenantNotReady
from tenants.tasks import tell_export_ready
from tests.factories import ArchiveFactory
from tests.processes import environment_here
from tests.stack import REPOSITORY
from tests.tenants.endings import furnished, own_files, traces  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_files")]
_RUN = """
import django, sys
django.setup()
from tenants.tasks import export_archive
export_archive(archive_id=sys.argv[1])
"""


@pytest.fixture
def sol() -> Tenant:
    return furnished("sol")


@pytest.fixture
def owner(sol) -> Person:
    return Person.objects.get(email="owner@sol.test")


def promised(task: str) -> list[str]:
    """The archives for which `task` is in the outbox."""
    rows = OutboxMessage.objects.filter(task=task).order_by("created_at")
    return [row.arguments["archive_id"] for row in rows]


def files(tenant: Tenant) -> list[str]:
    try:
        return sorted(default_storage.listdir(f"{tenant.id}/exports")[1])
    except FileNotFoundError:
        return []


def test_an_export_tells_how_far_it_is_and_when_it_goes(sol, owner, now, settings):
    row = copies.request_export(tenant_id=sol.id, by_id=owner.pk)
    assert (row.status, row.steps_done, row.expires_at) == ("queued", 0, None)

    made = archives.run_export(archive_id=row.pk, now=now)

    tables = [name for name in made.manifest["entries"] if name.startswith("tables/")]
    assert (made.status, made.error, made.attempts) == ("completed", "", 1)
    assert made.steps_done == made.steps_total == len(tables) + 2
    assert made.expires_at == now + timedelta(days=settings.PLAZA_EXPORT_DAYS)
    assert files(sol) == [f"{row.pk}.zip"]


def test_one_waits_at_a_time_and_the_database_says_so_too(sol, owner):
    first = copies.request_export(tenant_id=sol.id, by_id=owner.pk)
    assert copies.request_export(tenant_id=sol.id, by_id=owner.pk).pk == first.pk
    with pytest.raises(IntegrityError), transaction.atomic():
        Archive.objects.create(tenant_id=sol.id, status="running")
    assert Archive.objects.count() == 1


def test_a_worker_killed_in_the_middle_leaves_no_half_file_and_another_begins_again(
    sol, owner, now
):
    row = copies.request_export(tenant_id=sol.id, by_id=owner.pk)
    with closing(owner_connection(autocommit=False)) as blocker:
        # The export has begun its file when it waits for this.
        blocker.execute(f"LOCK TABLE {sol.schema_name}.crm_contact IN ACCESS EXCLUSIVE MODE")
        worker = subprocess.Popen(
            [sys.executable, "-c", _RUN, str(row.pk)],
            cwd=REPOSITORY,
            env=environment_here(PLAZA_FILES=default_storage.path("")),
        )
        deadline = time.monotonic() + 60
        while not files(sol) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert worker.poll() is None
        assert archives.run_export(archive_id=row.pk, now=now).status == "running"
        worker.kill()
        worker.wait()
    assert files(sol) == [f".{row.pk}.zip.part"]
    wait_until_nobody_holds_it()

    with transaction.atomic():  # what is promised is sent, and forgotten, with the commit
        assert archives.resume_exports(now=now + timedelta(seconds=30)) == 0
        assert archives.resume_exports(now=now + timedelta(minutes=5)) == 1
        assert promised("tenants.export_archive") == [str(row.pk)]
    made = archives.run_export(archive_id=row.pk, now=now)

    assert (made.status, made.attempts) == ("completed", 2)
    assert files(sol) == [f"{row.pk}.zip"]
    assert archives.resume_exports(now=now + timedelta(hours=1)) == 0


def wait_until_nobody_holds_it() -> None:
    """The dead process's connections, and its lock with them, go as soon as the server notices."""
    with closing(owner_connection()) as owner:
        for _ in range(200):
            command = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 7412"
            if owner.execute(command).fetchone() == (0,):
                return
            time.sleep(0.05)


def test_what_takes_the_worker_along_each_time_is_given_up(sol, owner, now):
    row = copies.request_export(tenant_id=sol.id, by_id=owner.pk)
    default_storage.save(f"{sol.id}/exports/.{row.pk}.zip.part", ContentFile(b"half"))
    Archive.objects.filter(pk=row.pk).update(status="running", attempts=5)

    given_up = archives.run_export(archive_id=row.pk, now=now)

    assert (given_up.status, given_up.error, files(sol)) == ("failed", "GaveUp", [])
    assert copies.request_export(tenant_id=sol.id, by_id=owner.pk).pk != row.pk


def test_an_export_that_fails_says_so_and_leaves_nothing(sol, owner, now):
    row = copies.request_export(tenant_id=sol.id, by_id=owner.pk)
    with closing(owner_connection()) as database:
        database.execute(f"DROP SCHEMA {sol.schema_name} CASCADE")

    with pytest.raises(TenantNotReady):
        archives.run_export(archive_id=row.pk, now=now)

    failed = Archive.objects.get(pk=row.pk)
    assert (failed.status, failed.error, files(sol)) == ("failed", "TenantNotReady", [])


@pytest.mark.parametrize(
    ("locale", "subject", "phrase"),
    [
        (
            "en",
            "The export of Sol Inc. Bcc: eve@evil.test is ready",
            "Sign in and download it until",
        ),
        ("es", "La exportación de Sol Inc. Bcc: eve@evil.test está lista", "descárguela hasta"),
    ],
)
def test_who_asked_is_told_once_in_their_language(sol, owner, now, locale, subject, phrase):
    Tenant.objects.filter(pk=sol.pk).update(organisation="Sol Inc.\r\nBcc: eve@evil.test")
    Person.objects.filter(pk=owner.pk).update(locale=locale)
    row = copies.request_export(tenant_id=sol.id, by_id=owner.pk)
    with transaction.atomic():
        archives.run_export(archive_id=row.pk, now=now)
        assert promised("tenants.tell_export_ready") == [str(row.pk)]

    tell_export_ready(archive_id=str(row.pk))
    tell_export_ready(archive_id=str(row.pk))

    (letter,) = mail.outbox
    assert (letter.to, letter.subject) == (["owner@sol.test"], subject)
    assert phrase in letter.body
    assert "http://sol.plaza.localhost:8000/exports" in letter.body
    assert letter.message()["Bcc"] is None


def test_nobody_is_told_who_may_not_have_it_any_more(sol, owner, now):
    row = copies.request_export(tenant_id=sol.id, by_id=owner.pk)
    archives.run_export(archive_id=row.pk, now=now)
    Member.objects.filter(person=owner, tenant=sol).update(role="editor")

    tell_export_ready(archive_id=str(row.pk))

    assert mail.outbox == []


def test_row_and_file_go_after_their_days_and_others_stay(sol, owner, now, settings):
    settings.PLAZA_EXPORT_DAYS = 3
    old = archives.run_export(
        archive_id=copies.request_export(tenant_id=sol.id, by_id=owner.pk).pk,
        now=now - timedelta(days=3),
    )
    young = archives.run_export(
        archive_id=copies.request_export(tenant_id=sol.id, by_id=owner.pk).pk, now=now
    )
    ArchiveFactory(tenant=sol, status="failed", finished_at=now - timedelta(days=4))

    assert (archives.forget_exports(now=now), archives.forget_exports(now=now)) == (2, 0)

    assert list(Archive.objects.values_list("pk", flat=True)) == [young.pk]
    assert files(sol) == [f"{young.pk}.zip"]
    assert old.pk != young.pk


def test_an_export_counts_as_room_that_the_tenant_takes(sol, owner, now):
    measure_storage()
    before = storage.used(sol.id)
    made = archives.run_export(
        archive_id=copies.request_export(tenant_id=sol.id, by_id=owner.pk).pk, now=now
    )
    ArchiveFactory(tenant=sol, status="failed", size_bytes=10**9)
    ArchiveFactory(size_bytes=10**9)

    measure_storage()

    assert made.size_bytes is not None
    assert storage.used(sol.id) == before + made.size_bytes


def test_an_erased_tenant_s_exports_are_erased(sol, owner, now):
    from billing.services import offboarding
    from tests.tenants.endings import LEFT_OF_ERASED, past_window, quiet

    archives.run_export(
        archive_id=copies.request_export(tenant_id=sol.id, by_id=owner.pk).pk, now=now
    )
    offboarding.close(tenant_id=sol.id, reason="Over.", by="test", now=now)
    offboarding.erase(tenant_id=sol.id, now=past_window(sol), tell=quiet)

    assert traces(sol.id) == LEFT_OF_ERASED
