"""An export that a person asks for: a task makes it, and it lies among the tenant's files."""

import tempfile
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction

from config.celery import later
from config.logs import logger
from tenants.archives.exporting import EXPORTS, export_to
from tenants.archives.reading import checksum_of
from tenants.life.stores import folder_of
from tenants.models import Archive

log = logger(__name__)
Status = Archive.Status


@transaction.atomic
def request_export(*, tenant_id: UUID, plan: str) -> Archive:
    """Promise an export; one that is still to come is not promised twice."""
    waiting = Archive.objects.filter(
        tenant_id=tenant_id, status__in=[Status.QUEUED, Status.RUNNING]
    )
    found = waiting.order_by("created_at").first()
    if found is None:
        found = Archive.objects.create(tenant_id=tenant_id)
        later("tenants.export_archive", archive_id=str(found.pk), plan=plan)
    return found


def run_export(*, archive_id: UUID, plan: str, now: datetime) -> Archive:
    """Make the promised archive at `<tenant id>/exports/<archive id>.zip`. Harmless twice."""
    row = Archive.objects.get(pk=archive_id)
    if row.status == Status.COMPLETED:
        return row
    Archive.objects.filter(pk=archive_id).update(status=Status.RUNNING, error="")
    name = f"{folder_of(row.tenant_id)}/{EXPORTS}/{archive_id}.zip"
    try:
        with tempfile.TemporaryDirectory(prefix=f"plaza-{row.tenant_id.hex}-") as folder:
            made = Path(folder) / "export.zip"
            manifest = export_to(
                tenant_id=row.tenant_id, to=made, plan=plan, now=now, tell=log.debug
            )
            row.size_bytes, row.sha256 = checksum_of(made)
            default_storage.delete(name)
            with made.open("rb") as file:
                row.path = default_storage.save(name, File(file))
    except Exception as error:
        Archive.objects.filter(pk=archive_id).update(
            status=Status.FAILED, error=type(error).__name__, finished_at=now
        )
        raise
    row.manifest, row.status, row.finished_at = manifest.document(), Status.COMPLETED, now
    row.error = ""
    row.save()
    return row
