"""Tasks that must wait until their tenant may work again: they lie in the outbox, due later.

Nothing of them is in a worker or in Redis meanwhile, however long it takes.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models.functions import Now

from config.messages import TENANT_HEADER
from config.models import OutboxMessage
from tenants.isolation import square_context


def park(
    *, task: str, arguments: Mapping[str, Any], headers: Mapping[str, str], until: datetime
) -> None:
    """Keep the message; the outbox's sweeper sends it after `until`."""
    with square_context():
        # Under an id of its own: the sender of the message in hand may be about to delete that one's row.
        OutboxMessage.objects.create(
            task=task, arguments=dict(arguments), headers=dict(headers), created_at=until
        )


def wake(tenant_id: UUID) -> int:
    """Make due now what was parked for this tenant; how many. On the square, in the caller's transaction."""
    parked = OutboxMessage.objects.filter(created_at__gt=Now())
    return parked.filter(**{f"headers__{TENANT_HEADER}": str(tenant_id)}).update(created_at=Now())
