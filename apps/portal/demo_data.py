"""A sample of the real customers' file for the demo tenant, imported by the worker as anybody's would be."""

import io
from datetime import datetime
from itertools import islice
from pathlib import Path

from django.db import transaction

from apps.crm.services.imports.jobs import Upload, Wishes, start
from apps.crm.services.lists import latest_imports
from tenants.isolation import tenant_context
from tenants.models import Member, Tenant

_TENANT = "acme"
_LINES = 3_000
_NAME = "cdnow-sample.txt"


def send_sample(file: Path, *, now: datetime) -> str:
    """Start the import of the file's first lines into the demo tenant, once; say what was done."""
    tenant = Tenant.objects.get(slug=_TENANT)
    owner = Member.objects.filter(tenant=tenant).earliest("created_at")
    with file.open("rb") as source:
        sample = b"".join(islice(source, _LINES))
    with tenant_context(tenant), transaction.atomic():
        if latest_imports(most=1):
            return "there already"
        upload = Upload(file=io.BytesIO(sample), name=_NAME, size=len(sample))
        job = start(upload=upload, wishes=Wishes(), by_id=owner.person_id, now=now)
    # The file's first line may be a header.
    return f"{job.rows_total} purchases are being imported"
