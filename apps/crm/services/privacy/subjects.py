"""All that a tenant keeps of one contact: shown as one document, or erased wherever it lies.

What expires by itself: answers kept for an Idempotency-Key (24 h, sealed), exports (PLAZA_EXPORT_DAYS), and
files of imports that stopped (30 days). The audit trail keeps ids and first letters, under its digests.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count, F, Q

from apps.crm.models import Consent, Import, ImportRow, Note, Order, PrivacyRequest, Task
from apps.crm.services import contact_rows, contacts
from apps.crm.services.contact_rows import ContactRow
from tenants.trail.actions import Action
from tenants.trail.recording import Subject, record

_ABOUT = ("contact", "company", "deal")
_BLANKED = "UPDATE crm_importrowerror SET raw = '[]', reasons = '[]' WHERE lower(raw::text) LIKE %s"


def data_of(*, contact_id: UUID) -> dict[str, Any]:
    """{contact, orders, consents, notes, tasks, privacy_requests, waiting_rows}: plain values, as the API writes them. Raises NotFound."""
    contact = contact_rows.get(contact_id)
    record(Action.PERSONAL_DATA_EXPORTED, Subject("contact", contact_id))
    return {
        "contact": contact,
        "orders": _plain(Order.objects.filter(contact_id=contact_id), "contact"),
        "consents": _plain(Consent.objects.filter(contact_id=contact_id), "contact"),
        "notes": _plain(Note.objects.filter(contact_id=contact_id), *_ABOUT),
        "tasks": _plain(Task.objects.filter(contact_id=contact_id), *_ABOUT),
        "privacy_requests": _plain(PrivacyRequest.objects.filter(contact_id=contact_id)),
        "waiting_rows": [row.raw for row in ImportRow.objects.filter(_waiting(contact))],
    }


@transaction.atomic
def erase(*, contact_id: UUID, now: datetime) -> dict[str, int]:
    """Erase a contact everywhere; {store: how many}. Its unit goes back to the plan. Raises NotFound.

    Requests of a law stay, without who asked, as proof that they were answered.
    """
    contact = contact_rows.get(contact_id)
    counts = {
        "contacts": 1,
        "orders": Order.objects.filter(contact_id=contact_id).count(),
        "consents": Consent.objects.filter(contact_id=contact_id).count(),
        "notes": Note.objects.filter(contact_id=contact_id).count(),
        "tasks": Task.objects.filter(contact_id=contact_id).count(),
        "waiting_rows": _erase_waiting(contact),
        "refused_rows": _blank_refused(contact),
        "privacy_requests": PrivacyRequest.objects.filter(contact_id=contact_id).update(
            subject="", note="", outcome=F("kind")
        ),
    }
    contacts.delete(contact_id=contact_id, now=now)
    record(Action.PERSONAL_DATA_ERASED, Subject("contact", contact_id))
    return counts


def _plain(rows: Any, *left_out: str) -> list[dict[str, Any]]:
    fields = [
        field.attname
        for field in rows.model._meta.concrete_fields  # noqa: SLF001 - Django's documented way
        if field.name not in left_out
    ]
    return list(rows.order_by("pk").values(*fields))


def _waiting(contact: ContactRow) -> Q:
    """Rows of files that would make or change this contact."""
    wanted = Q(pk__in=[])
    if contact.email:
        wanted |= Q(email=contact.email)
    if contact.external_id:
        wanted |= Q(external_id=contact.external_id)
    return wanted


def _erase_waiting(contact: ContactRow) -> int:
    """Merged later, they would bring the contact back; their imports are as if they had never held them."""
    rows = ImportRow.objects.filter(_waiting(contact))
    held = rows.values("job_id").annotate(count=Count("row_number")).order_by("job_id")
    for each in list(held):
        Import.objects.filter(pk=each["job_id"]).update(rows_total=F("rows_total") - each["count"])
    return sum(rows.filter(job_id=each["job_id"]).delete()[0] for each in list(held))


def _blank_refused(contact: ContactRow) -> int:
    """Cells of refused rows that hold the e-mail or the phone; that a row was refused stays."""
    blanked = 0
    for value in filter(None, (contact.email, contact.phone)):
        like = value.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        with connection.cursor() as cursor:
            cursor.execute(_BLANKED, [f"%{like}%"])
            blanked += cursor.rowcount
    return blanked
