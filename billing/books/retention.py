"""How long the books are kept: INVOICE_RETENTION_YEARS, and never shorter than their tenant lives."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, QuerySet

from billing.models import (
    Account,
    CreditMovement,
    CreditNote,
    FiscalStamp,
    Invoice,
    InvoiceLine,
    InvoiceTax,
    JournalEntry,
    NumberSequence,
    Payment,
    Posting,
    Refund,
)
from config.logs import logger
from tenants.models import Erasure, Tenant

log = logger(__name__)
_SERIES: dict[str, type[Invoice | CreditNote]] = {
    NumberSequence.Series.INVOICE: Invoice,
    NumberSequence.Series.CREDIT_NOTE: CreditNote,
}
# What points at something goes before it.
_IN_ORDER = (
    *(Posting, JournalEntry, Account, CreditMovement, Refund, Payment, CreditNote),
    *(InvoiceLine, InvoiceTax, Invoice, FiscalStamp),
)


def kept_until(moment: datetime) -> datetime:
    """The day before which the database refuses to delete what was written at `moment`."""
    # The 29th of February counts as the 28th where the year has none.
    day = min(moment.day, 28) if moment.month == 2 else moment.day
    return moment.replace(year=moment.year + settings.INVOICE_RETENTION_YEARS, day=day)


def forget_books(*, now: datetime) -> int:
    """Delete the books of tenants that were erased INVOICE_RETENTION_YEARS ago; of how many.

    A tenant's books go as a whole, or the journal would not add up. Their numbers stay counted.
    """
    forgotten = 0
    for tenant_id in _due(now):
        with transaction.atomic():
            _forget(tenant_id)
        forgotten += 1
        log.info("books.forgotten", extra={"tenant_id": str(tenant_id)})
    return forgotten


def _due(now: datetime) -> list[UUID]:
    """Tenants that are gone, whose youngest row may go, and who were erased long enough ago."""
    young = JournalEntry.objects.filter(tenant_id=OuterRef("tenant_id"), kept_until__gt=now)
    recent = Erasure.objects.filter(tenant_id=OuterRef("tenant_id")).exclude(
        finished_at__lt=_years_before(now)
    )
    known = Tenant.objects.filter(pk=OuterRef("tenant_id"))
    rows = Account.objects.exclude(Exists(young) | Exists(recent) | Exists(known))
    return list(rows.filter(kept_until__lte=now).values_list("tenant_id", flat=True).distinct())


def _years_before(moment: datetime) -> datetime:
    day = min(moment.day, 28) if moment.month == 2 else moment.day
    return moment.replace(year=moment.year - settings.INVOICE_RETENTION_YEARS, day=day)


def _forget(tenant_id: UUID) -> None:
    for series, documents in _SERIES.items():
        counted = documents.objects.filter(tenant_id=tenant_id).values_list("issuer")
        for issuer, count in counted.annotate(Count("pk")).order_by():
            NumberSequence.objects.filter(issuer=issuer, series=series).update(
                forgotten=F("forgotten") + count
            )
    for model in _IN_ORDER:
        rows: QuerySet[Any] = model._default_manager.filter(tenant_id=tenant_id)  # noqa: SLF001
        rows._raw_delete(rows.db)  # noqa: SLF001 - no collecting of what goes next anyhow
