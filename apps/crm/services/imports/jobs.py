"""The life of an import as its owner sees it: start, dry run, cancel, resume."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO
from uuid import UUID

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.crm.models import Import, ImportRowError
from apps.crm.services.imports import staging
from apps.crm.services.imports.columns import Plan, plan_of
from apps.crm.services.imports.files import open_table
from apps.crm.services.imports.rows import Options
from apps.crm.services.imports.tables import Table, refused
from config.celery import later
from config.context import require_tenant
from config.errors import DomainError, NotFound, PayloadTooLarge
from config.ids import new_id
from quotas import storage
from quotas.refusals import QuotaExceeded
from tenants.trail.actions import Action
from tenants.trail.recording import Change, Subject, record

# Up to here a file is checked while its owner waits for the answer (some 400,000 short rows in 10 s);
# a larger one by the task, which then refuses by the import's status.
CHECKED_AT_ONCE_BYTES = 16 << 20
_SHOWN_ERRORS = 20


class ImportNotUnderWay(DomainError):
    """Only an import that is queued or running can be cancelled: status."""

    code = "import_not_under_way"
    status = 409
    title = gettext_lazy("This import is not under way.")


class ImportNotResumable(DomainError):
    """The import has nothing left to do, or runs: status."""

    code = "import_not_resumable"
    status = 409
    title = gettext_lazy("This import has nothing to resume.")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as the client sent it; `size` in bytes."""

    file: BinaryIO
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Wishes:
    """How the client wants it imported. `mapping` is `{column: target}`, None to have it suggested."""

    mapping: dict[str, str | None] | None = None
    options: Options = field(default_factory=Options)
    allow_partial: bool = False


@dataclass(frozen=True, slots=True)
class Forecast:
    """What an import would do. `refusal` is the quota's, where the contacts would not fit."""

    plan: Plan
    rows_total: int
    rows_failed: int
    contacts_new: int
    refusal: QuotaExceeded | None
    errors: list[ImportRowError]


def start(*, upload: Upload, wishes: Wishes, by_id: UUID | None, now: datetime) -> Import:
    """Keep the file and promise its import.

    Raises ValidationFailed (what is no table, or says nothing of contacts), PayloadTooLarge, and
    QuotaExceeded: for storage before the file is looked at, for contacts unless `wishes.allow_partial`;
    then it starts and stops where the plan ends.
    """
    storage.refuse_beyond(asked_bytes=upload.size)
    table = _opened(upload)
    plan = plan_of(table, wishes.mapping)
    with transaction.atomic():
        job = _new_job(upload, wishes, table, plan, by_id=by_id, now=now)
        job.save(force_insert=True)
        if max(upload.size, table.unpacked_bytes) <= CHECKED_AT_ONCE_BYTES:
            check(job=job, table=table, plan=plan, options=wishes.options, now=now)
        later("crm.import_contacts", import_id=str(job.pk))
        _record(Action.IMPORT_STARTED, job)
        _keep(upload, job)
    return job


def check(*, job: Import, table: Table, plan: Plan, options: Options, now: datetime) -> None:
    """Read the file into waiting rows; refuse what has no good row, or more contacts than the plan."""
    staged = staging.stage(job=job, table=table, plan=plan, options=options)
    if staged.rows_total == staged.rows_failed:
        raise _no_good_row(staged)
    if not job.allow_partial:
        staging.refuse_beyond_quota(job=job, now=now)
    job.rows_total, job.rows_failed, job.staged_at = staged.rows_total, staged.rows_failed, now
    job.save(update_fields=["rows_total", "rows_failed", "staged_at"])


def forecast(*, upload: Upload, wishes: Wishes, now: datetime) -> Forecast:
    """What `start` would do, with nothing kept. Raises ValidationFailed and PayloadTooLarge as it does."""
    table = _opened(upload)
    plan = plan_of(table, wishes.mapping)
    with transaction.atomic():
        job = _new_job(upload, wishes, table, plan, by_id=None, now=now)
        job.save(force_insert=True)
        staged = staging.stage(job=job, table=table, plan=plan, options=wishes.options)
        contacts_new = staging.new_contacts(job=job)
        try:
            staging.refuse_beyond_quota(job=job, now=now)
            refusal = None
        except QuotaExceeded as exceeded:
            refusal = exceeded
        transaction.set_rollback(True)
    return Forecast(
        plan=plan,
        rows_total=staged.rows_total,
        rows_failed=staged.rows_failed,
        contacts_new=contacts_new,
        refusal=refusal,
        errors=staged.errors[:_SHOWN_ERRORS],
    )


@transaction.atomic
def cancel(*, import_id: UUID, now: datetime) -> Import:
    """Stop after the batch under way; what is merged stays, what waits can be resumed.

    Raises ImportNotUnderWay.
    """
    job = _locked(import_id)
    if job.status not in Import.UNFINISHED:
        raise ImportNotUnderWay(import_status=job.status)
    job.status = Import.Status.CANCELLED
    job.stopped_reason = Import.StoppedReason.CANCELLED
    job.rows_left_out = job.rows_waiting
    job.finished_at = now
    job.save()
    _record(Action.IMPORT_CANCELLED, job)
    return job


@transaction.atomic
def resume(*, import_id: UUID, allow_partial: bool = False, now: datetime) -> Import:
    """Go on with what was left out. Raises ImportNotResumable, and QuotaExceeded unless `allow_partial`."""
    job = _locked(import_id)
    if not _has_something_left(job):
        raise ImportNotResumable(import_status=job.status)
    if job.staged_at and not allow_partial:
        staging.refuse_beyond_quota(job=job, now=now)
    job.status = Import.Status.QUEUED
    job.stopped_reason, job.stopped_detail = "", ""
    job.rows_left_out, job.attempts = 0, 0
    job.allow_partial = job.allow_partial or allow_partial
    job.finished_at, job.heartbeat_at = None, now
    job.save()
    later("crm.import_contacts", import_id=str(job.pk))
    _record(Action.IMPORT_RESUMED, job)
    return job


def _record(action: Action, job: Import) -> None:
    told = {"rows_total": job.rows_total, "rows_done": job.rows_done}
    record(action, Subject("import", job.pk, job.file_name), Change(after=told))


def _has_something_left(job: Import) -> bool:
    if job.status in Import.UNFINISHED or job.stopped_reason == Import.StoppedReason.FILE_INVALID:
        return False
    # What has finished, or was left for too long, has neither file nor waiting rows.
    return bool(job.file_path) and (job.staged_at is None or job.rows.exists())


def drop_file(job: Import) -> None:
    """Delete the kept file once this transaction has committed."""
    path = job.file_path
    if path:
        Import.objects.filter(pk=job.pk).update(file_path="")
        transaction.on_commit(lambda: default_storage.delete(path))


def _opened(upload: Upload) -> Table:
    limit = settings.PLAZA_UPLOAD_LIMIT_BYTES
    if upload.size > limit:
        raise PayloadTooLarge(limit_bytes=limit)
    return open_table(upload.file, name=upload.name)


def _new_job(
    upload: Upload, wishes: Wishes, table: Table, plan: Plan, *, by_id: UUID | None, now: datetime
) -> Import:
    job_id = new_id()
    options: dict[str, Any] = {
        "currency": wishes.options.currency,
        "phone_region": wishes.options.phone_region,
        "mapping": wishes.mapping,
        "ignored_columns": plan.ignored_columns,
    }
    return Import(
        id=job_id,
        file_name=upload.name[:255],
        file_path=f"{require_tenant().id}/imports/{job_id}",
        file_format=table.file_format,
        columns=plan.columns,
        mapping=plan.mapping,
        options=options,
        allow_partial=wishes.allow_partial,
        created_by_id=by_id,
        created_at=now,
        heartbeat_at=now,
    )


def _keep(upload: Upload, job: Import) -> None:
    """Last of all: a refusal before it leaves no file behind."""
    upload.file.seek(0)
    default_storage.save(job.file_path, File(upload.file))


def _no_good_row(staged: staging.Staged) -> DomainError:
    if not staged.rows_total:
        return refused(_("The file has no rows below its header."))
    first = staged.errors[0]
    return refused(
        _("No row can be imported. Row {row}: {why}").format(
            row=first.row_number, why=" ".join(first.reasons)
        )
    )


def _locked(import_id: UUID) -> Import:
    job = Import.objects.select_for_update().filter(pk=import_id).first()
    if job is None:
        raise NotFound()
    return job
