"""What the clock does for imports: wake those whose worker died, drop what nobody came back for."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from apps.crm.models import Import
from apps.crm.services.imports import jobs, staging
from config.celery import later

LEFT_OVER_KEPT_FOR = timedelta(days=30)


@transaction.atomic
def wake_silent(*, now: datetime) -> int:
    """Promise again every unfinished import not heard of for PLAZA_IMPORT_SILENT_SECONDS.

    A batch takes well under a second; the heartbeat beats with each.
    """
    patience = timedelta(seconds=settings.PLAZA_IMPORT_SILENT_SECONDS)
    silent = Import.objects.select_for_update(skip_locked=True).filter(
        status__in=Import.UNFINISHED, heartbeat_at__lt=now - patience
    )
    woken = [job.pk for job in silent]
    Import.objects.filter(pk__in=woken).update(heartbeat_at=now)
    for import_id in woken:
        later("crm.import_contacts", import_id=str(import_id))
    return len(woken)


@transaction.atomic
def drop_left_over(*, now: datetime) -> int:
    """Drop waiting rows and files of imports that stopped LEFT_OVER_KEPT_FOR ago: they resume no more."""
    old = Import.objects.filter(
        ~Q(status__in=Import.UNFINISHED) & ~Q(file_path=""),
        finished_at__lt=now - LEFT_OVER_KEPT_FOR,
    )
    dropped = list(old)
    staging.forget(jobs=dropped)
    for job in dropped:
        jobs.drop_file(job)
    return len(dropped)
