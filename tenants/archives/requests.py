"""An export that a person asks for: a task makes it among the tenant's files, and it goes after PLAZA_EXPORT_DAYS.

Killed anywhere, it is begun again by `resume_exports`; the file has its name only when it is whole.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce, Now

from config.celery import later
from config.errors import NotFound
from config.logs import logger
from tenants.archives.exporting import EXPORTS, export_to
from tenants.archives.manifest import Manifest
from tenants.archives.reading import checksum_of
from tenants.archives.refusals import ArchiveBusy
from tenants.engine.owner import owner_connection
from tenants.life.stores import folder_of
from tenants.models import Archive, Tenant
from tenants.trail.actions import Action
from tenants.trail.recording import Subject, record

log = logger(__name__)
Status = Archive.Status
# Nobody was at it for so long: the worker is gone. Whoever still works holds the export's lock anyway.
_SILENCE = timedelta(minutes=2)
_MOST_ATTEMPTS = 5
_LOCK_CLASS = 7_412
_BATCH = 100


@transaction.atomic
def request_export(*, tenant_id: UUID, plan: str, by_id: UUID | None = None) -> Archive:
    """Promise an export to the person `by_id`; one that is still to come is not promised twice."""
    # Two at once wait here, so that neither begins beside the other.
    Tenant.objects.select_for_update().get(pk=tenant_id)
    found = Archive.objects.waiting().filter(tenant_id=tenant_id).first()
    if found is None:
        found = Archive.objects.create(tenant_id=tenant_id, requested_by_id=by_id, plan=plan)
        found.refresh_from_db()
        record(Action.EXPORT_REQUESTED, Subject("export", found.pk), tenant_id=tenant_id)
        later("tenants.export_archive", archive_id=str(found.pk), plan=plan)
    return found


def exports_of(tenant_id: UUID, *, now: datetime) -> QuerySet[Archive]:
    """The tenant's exports, those whose time is over left out."""
    return Archive.objects.filter(tenant_id=tenant_id).kept(now).defer("manifest")


def export_named(*, tenant_id: UUID, archive_id: UUID, now: datetime) -> Archive:
    """One of them. Raises NotFound."""
    found = exports_of(tenant_id, now=now).filter(pk=archive_id).first()
    if found is None:
        raise NotFound()
    return found


def run_export(*, archive_id: UUID, now: datetime) -> Archive:
    """Make the promised archive at `<tenant id>/exports/<archive id>.zip`. Harmless twice, and beside itself."""
    with _alone(archive_id) as is_alone:
        if not is_alone or not _begin(archive_id, now):
            return Archive.objects.get(pk=archive_id)
        row = Archive.objects.get(pk=archive_id)
        try:
            manifest = _make(row, now)
        except ArchiveBusy:
            log.info("export.put_off", extra={"archive_id": str(archive_id)})
            return row  # a migration is at work on the tenant: after `_SILENCE` it is tried again
        except Exception as error:  # whatever it was flies on; whoever waits is told that it failed
            _rest(row, error=type(error).__name__, now=now)
            raise
        return _complete(row, manifest, now)


@contextmanager
def _alone(archive_id: UUID) -> Iterator[bool]:
    """Whether nobody else makes this archive now. The lock goes with the process that holds it."""
    with closing(owner_connection()) as owner:
        command = "SELECT pg_try_advisory_lock(%s, hashtext(%s))"
        row = owner.execute(command, [_LOCK_CLASS, str(archive_id)]).fetchone()
        yield bool(row and row[0])


@transaction.atomic
def _begin(archive_id: UUID, now: datetime) -> bool:
    row = Archive.objects.waiting().select_for_update().filter(pk=archive_id).first()
    if row is None:
        return False
    if row.attempts >= _MOST_ATTEMPTS:
        # It takes the worker with it each time: an operator has to look.
        _rest(row, error="GaveUp", now=now)
        log.error("export.given_up", extra={"archive_id": str(archive_id)})
        return False
    row.status, row.error, row.steps_done = Status.RUNNING, "", 0
    row.attempts, row.heartbeat_at = row.attempts + 1, now
    row.save(update_fields=["status", "error", "steps_done", "attempts", "heartbeat_at"])
    return True


def _make(row: Archive, now: datetime) -> Manifest:
    def advance(done: int, total: int) -> None:
        Archive.objects.filter(pk=row.pk).update(
            steps_done=done, steps_total=total, heartbeat_at=Now()
        )

    to = Path(default_storage.path(_name(row)))
    to.parent.mkdir(parents=True, exist_ok=True)
    return export_to(
        tenant_id=row.tenant_id, to=to, plan=row.plan, now=now, tell=log.debug, advance=advance
    )


@transaction.atomic
def _complete(row: Archive, manifest: Manifest, now: datetime) -> Archive:
    row.refresh_from_db()
    row.path = _name(row)
    row.size_bytes, row.sha256 = checksum_of(Path(default_storage.path(row.path)))
    row.manifest, row.status, row.finished_at = manifest.document(), Status.COMPLETED, now
    row.expires_at = now + timedelta(days=settings.PLAZA_EXPORT_DAYS)
    row.save()
    if row.requested_by_id is not None:
        later("tenants.tell_export_ready", archive_id=str(row.pk))
    return row


def _rest(row: Archive, *, error: str, now: datetime) -> None:
    """It failed: nothing of it is left but the row, which says so for as long as the file would have lain."""
    _delete_files(row)
    Archive.objects.filter(pk=row.pk).update(
        status=Status.FAILED,
        error=error,
        finished_at=now,
        expires_at=now + timedelta(days=settings.PLAZA_EXPORT_DAYS),
    )


@transaction.atomic
def resume_exports(*, now: datetime) -> int:
    """Promise again the exports at which nobody is; how many those were."""
    silent = Archive.objects.waiting().annotate(heard_at=Coalesce("heartbeat_at", "created_at"))
    rows = silent.filter(heard_at__lt=now - _SILENCE).order_by("created_at")
    due = list(rows.select_for_update(skip_locked=True)[:_BATCH])
    for row in due:
        later("tenants.export_archive", archive_id=str(row.pk), plan=row.plan)
    Archive.objects.filter(pk__in=[row.pk for row in due]).update(heartbeat_at=now)
    return len(due)


def forget_exports(*, now: datetime) -> int:
    """Delete the exports whose time is over, the file before the row; how many those were. Harmless twice."""
    # Older releases wrote no end.
    before = now - timedelta(days=settings.PLAZA_EXPORT_DAYS)
    over = Q(expires_at__lte=now) | Q(expires_at=None, finished_at__lte=before)
    due = list(Archive.objects.filter(over).order_by(F("created_at"))[:_BATCH])
    for row in due:
        _delete_files(row)
        row.delete()
        log.info("export.expired", extra={"archive_id": str(row.pk)})
    return len(due)


def _name(row: Archive) -> str:
    return f"{folder_of(row.tenant_id)}/{EXPORTS}/{row.pk}.zip"


def _delete_files(row: Archive) -> None:
    """The archive, and what a killed worker may have left beside it."""
    name = _name(row)
    folder, _slash, last = name.rpartition("/")
    default_storage.delete(f"{folder}/.{last}.part")
    default_storage.delete(name)
