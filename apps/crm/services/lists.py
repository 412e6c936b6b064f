"""Lists for pages: contacts as one searches them, imports as they go."""

from uuid import UUID

from django.db.models import QuerySet

from apps.crm.models import Contact, Import, ImportRowError
from config.errors import NotFound


def contacts_matching(search: str) -> QuerySet[Contact]:
    """Contacts that are not archived, that have every word of `search` in name, e-mail or company."""
    return Contact.objects.for_reading().filter(archived_at=None).search(search)


def latest_imports(*, most: int) -> list[Import]:
    """The newest first."""
    return list(Import.objects.order_by("-id")[:most])


def import_named(import_id: UUID) -> Import:
    """Raises NotFound."""
    found = Import.objects.filter(pk=import_id).first()
    if found is None:
        raise NotFound()
    return found


def refused_rows(import_id: UUID, *, most: int) -> list[ImportRowError]:
    """The first `most` rows of the file that were refused, in its order."""
    rows = ImportRowError.objects.filter(job_id=import_id).order_by("row_number")
    return list(rows[:most])
