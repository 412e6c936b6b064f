"""The work of an import: batches that commit with their own progress, until nothing waits or the plan ends."""

from datetime import datetime
from typing import BinaryIO, cast
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import DataError, IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from apps.crm.models import Import, ImportRow, ImportRowError
from apps.crm.services.imports import jobs, merging, staging
from apps.crm.services.imports.columns import plan_of
from apps.crm.services.imports.files import open_table
from apps.crm.services.imports.merging import ROW_FIELDS, WaitingRow
from apps.crm.services.imports.rows import Options
from config.context import require_tenant
from config.errors import DomainError, ValidationFailed
from config.logs import logger
from config.needs import Meter
from quotas import ledger
from quotas.refusals import UsageRefused

log = logger(__name__)
# Tried in turn: near the end of the plan a smaller batch still fits, and a row that the database
# refuses is found by taking rows one by one.
BATCH_ROWS = (1_000, 100)
_MOST_ATTEMPTS = 5


def begin(*, import_id: UUID, now: datetime) -> bool:
    """Mark the import as running, read its file if that was left to us. False: there is nothing to do."""
    with transaction.atomic():
        job = _unfinished(import_id)
        if job is None:
            return False
        job.status = Import.Status.RUNNING
        job.started_at = job.started_at or now
        job.heartbeat_at = now
        job.attempts += 1
        if job.attempts > _MOST_ATTEMPTS:
            # Something of ours fails each time: an operator has to look, not the sweeper.
            _rest(job, Import.Status.FAILED, Import.StoppedReason.GAVE_UP, now=now)
            log.error("import.given_up", extra={"import_id": str(import_id)})
            return False
        job.save()
    return job.staged_at is not None or _read(import_id, now)


def advance(*, import_id: UUID, now: datetime) -> bool:
    """Merge the next batch and commit it with its progress. False: the import rests.

    Harmless twice, and beside another worker: each takes the next batch under the import's lock.
    """
    for size in BATCH_ROWS:
        try:
            return _batch(import_id, size, now)
        except UsageRefused as exceeded:
            refusal: Exception = exceeded
        except (IntegrityError, DataError) as error:
            refusal = error
    if isinstance(refusal, UsageRefused):
        return _stop(import_id, Import.StoppedReason.QUOTA_EXCEEDED, refusal, now)
    return _one_by_one(import_id, now)


@transaction.atomic
def _batch(import_id: UUID, size: int, now: datetime) -> bool:
    job = _unfinished(import_id)
    if job is None:
        return False
    waiting = ImportRow.objects.filter(job=job, row_number__gt=job.last_row).order_by("row_number")
    rows = [WaitingRow(*values) for values in waiting.values_list(*ROW_FIELDS)[:size]]
    if not rows:
        _finish(job, now)
        return False
    merged = merging.merge(rows, now=now)
    # Last, since the total stays locked until the commit.
    ledger.consume(
        tenant_id=require_tenant().id,
        meter=Meter.CONTACTS,
        quantity=merged.contacts_created,
        key=f"import:{job.pk}:{rows[0].number}",
        now=now,
    )
    refused = [staging.row_error(job.pk, row.number, why, row.raw) for row, why in merged.refused]
    ImportRowError.objects.bulk_create(refused)
    job.last_row = rows[-1].number
    job.rows_done += len(rows) - len(refused)
    job.rows_failed += len(refused)
    job.contacts_created += merged.contacts_created
    job.contacts_updated += merged.contacts_updated
    job.orders_created += merged.orders_created
    job.attempts, job.heartbeat_at = 0, now
    job.save()
    return True


def _one_by_one(import_id: UUID, now: datetime) -> bool:
    """The database refused a batch of the smallest size: take one row, and refuse it if it is the one."""
    try:
        return _batch(import_id, 1, now)
    except UsageRefused as exceeded:
        return _stop(import_id, Import.StoppedReason.QUOTA_EXCEEDED, exceeded, now)
    except (IntegrityError, DataError) as error:
        log.warning(
            "import.row_refused", extra={"import_id": str(import_id), "why": str(error)[:200]}
        )
        return _refuse_next_row(import_id, now)


@transaction.atomic
def _refuse_next_row(import_id: UUID, now: datetime) -> bool:
    job = _unfinished(import_id)
    if job is None:
        return False
    row = ImportRow.objects.filter(job=job, row_number__gt=job.last_row).earliest("row_number")
    reason = _("The row clashes with another contact.")
    staging.row_error(job.pk, row.row_number, [reason], row.raw).save(force_insert=True)
    Import.objects.filter(pk=job.pk).update(
        last_row=row.row_number, rows_failed=F("rows_failed") + 1, heartbeat_at=now
    )
    return True


def _read(import_id: UUID, now: datetime) -> bool:
    """Check a file that was too large to be checked at its upload. False: it was refused."""
    try:
        with transaction.atomic():
            job = _unfinished(import_id)
            if job is None or job.staged_at is not None:
                return job is not None
            with default_storage.open(job.file_path) as kept:
                table = open_table(cast("BinaryIO", kept.file), name=job.file_name)
                jobs.check(
                    job=job,
                    table=table,
                    plan=plan_of(table, job.options["mapping"]),
                    options=Options(job.options["currency"], job.options["phone_region"]),
                    now=now,
                )
    except UsageRefused as exceeded:
        return _stop(import_id, Import.StoppedReason.QUOTA_EXCEEDED, exceeded, now)
    except ValidationFailed as refusal:
        return _stop(import_id, Import.StoppedReason.FILE_INVALID, refusal, now)
    return True


@transaction.atomic
def _stop(
    import_id: UUID, reason: Import.StoppedReason, refusal: DomainError, now: datetime
) -> bool:
    """Rest with what is done, say why, and keep what waits."""
    job = _unfinished(import_id)
    if job is not None:
        began = job.staged_at is not None
        status = Import.Status.COMPLETED_WITH_ERRORS if began else Import.Status.FAILED
        _rest(job, status, reason, detail=_words_of(refusal), now=now)
        log.info(
            "import.stopped",
            extra={
                "import_id": str(import_id),
                "reason": reason.value,
                "left_out": job.rows_left_out,
            },
        )
    return False


def _words_of(refusal: DomainError) -> str:
    """The refusal as one text for people."""
    errors: dict[str, list[str]] = refusal.facts.get("errors", {})
    return (
        " ".join(message for messages in errors.values() for message in messages) or refusal.detail
    )


def _finish(job: Import, now: datetime) -> None:
    failed = job.rows_failed > 0
    _rest(job, Import.Status.COMPLETED_WITH_ERRORS if failed else Import.Status.COMPLETED, now=now)
    staging.forget(jobs=[job])
    jobs.drop_file(job)
    log.info(
        "import.finished",
        extra={"import_id": str(job.pk), "rows": job.rows_done, "failed": job.rows_failed},
    )


def _rest(
    job: Import,
    status: Import.Status,
    reason: Import.StoppedReason | None = None,
    *,
    detail: str = "",
    now: datetime,
) -> None:
    job.status = status
    job.stopped_reason = reason or ""
    job.stopped_detail = detail[:500]
    job.rows_left_out = job.rows_waiting
    job.finished_at = now
    job.save()


def _unfinished(import_id: UUID) -> Import | None:
    """The import under its lock; None when it rests or is gone."""
    return (
        Import.objects.select_for_update()
        .filter(pk=import_id, status__in=Import.UNFINISHED)
        .first()
    )
