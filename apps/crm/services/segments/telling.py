"""Who came into a segment, or went, is told to the tenant's webhook endpoints."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from apps.crm.models import Segment
from config.context import require_tenant
from tenants import outbound

# An event holds up to 20,000 bytes.
_MOST_IN_AN_EVENT = 400


def tell(segment: Segment, came: Sequence[UUID], went: Sequence[UUID], *, now: datetime) -> None:
    """One event for every 400 contacts."""
    for name, moved in (("segment.entered", came), ("segment.left", went)):
        for start in range(0, len(moved), _MOST_IN_AN_EVENT):
            some = [str(pk) for pk in moved[start : start + _MOST_IN_AN_EVENT]]
            data = {"segment": {"id": str(segment.pk), "name": segment.name}, "contacts": some}
            outbound.emit(require_tenant().id, name, data, now=now)
