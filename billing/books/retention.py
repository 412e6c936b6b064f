"""How long the books are kept: INVOICE_RETENTION_YEARS, and never shorter than their tenant lives."""

from datetime import datetime

from django.conf import settings


def kept_until(moment: datetime) -> datetime:
    """The day before which the database refuses to delete what was written at `moment`."""
    # The 29th of February counts as the 28th where the year has none.
    day = min(moment.day, 28) if moment.month == 2 else moment.day
    return moment.replace(year=moment.year + settings.INVOICE_RETENTION_YEARS, day=day)
