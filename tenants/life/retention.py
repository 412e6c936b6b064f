"""What outlives a tenant does not live for ever: certificates go after INVOICE_RETENTION_YEARS."""

from datetime import datetime

from django.conf import settings

from tenants.models import Erasure


def forget_certificates(*, now: datetime) -> int:
    """Delete the erasures that were finished INVOICE_RETENTION_YEARS ago; how many those were."""
    # The 29th of February counts as the 28th where the year has none.
    day = min(now.day, 28) if now.month == 2 else now.day
    before = now.replace(year=now.year - settings.INVOICE_RETENTION_YEARS, day=day)
    return Erasure.objects.filter(finished_at__lt=before).delete()[0]
