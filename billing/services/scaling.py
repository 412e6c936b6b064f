"""What billing keeps of shares that were changed by hand (tenants/shares.py tells it)."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from billing.models import Scaling


def record(*, tenant_id: UUID, scaled_at: datetime, shares: Mapping[str, int | None]) -> None:
    """Keep one change. Harmless twice."""
    Scaling.objects.bulk_create(
        [Scaling(tenant_id=tenant_id, scaled_at=scaled_at, shares=dict(shares))],
        ignore_conflicts=True,
    )
