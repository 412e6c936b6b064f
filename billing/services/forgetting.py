"""What the providers' side leaves behind, forgotten once it is older than WEBHOOK_RETENTION_DAYS and settled.

The books have the money for as long as the law wants it, and know each payment, refund and dispute by the
provider's name for it: one that is read once more after its row has gone is entered no second time.
"""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from billing.models import Invoice, ProviderCommand, ProviderDifference, ProviderTransaction
from config.logs import logger

log = logger(__name__)
Kind, Status = ProviderCommand.Kind, ProviderCommand.Status
_BATCH = 5_000
# What these did is asked for again later: that a subscription is entrusted, an invoice mirrored, a cycle carried.
_FORGOTTEN_KINDS = (Kind.COLLECT, Kind.WITHDRAW, Kind.REFUND)


def forget_settled(*, now: datetime) -> int:
    """Forget transactions in the books, differences that are gone and commands that are done; how many rows."""
    before = now - timedelta(days=settings.WEBHOOK_RETENTION_DAYS)
    open_ones = Invoice.objects.filter(status=Invoice.Status.OPEN)
    commands = ProviderCommand.objects.filter(
        status=Status.DONE, settled_at__lt=before, kind__in=_FORGOTTEN_KINDS
    )
    gone = {
        "transactions": _forget(
            ProviderTransaction.objects.filter(entered_at__lt=before, read_at__lt=before)
        ),
        "differences": _forget(ProviderDifference.objects.filter(gone_at__lt=before)),
        # An invoice that is still open can be withdrawn where it was asked for.
        "commands": _forget(commands.exclude(subject_id__in=open_ones.values("pk"))),
    }
    if any(gone.values()):
        log.info("provider_rows.forgotten", extra=gone)
    return sum(gone.values())


def _forget(rows: "QuerySet[Any]") -> int:
    """A batch at a time, each a transaction of its own: nobody waits long for a lock."""
    total = 0
    while ids := list(rows.order_by("pk").values_list("pk", flat=True)[:_BATCH]):
        total += rows.filter(pk__in=ids).delete()[0]
    return total
