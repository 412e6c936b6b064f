"""When terms change within a period, what was used before stays billed as it was.

Rating bills each part of a period under the terms of that part, against their whole allowance
(billing/rating/metered.py); a budget reckons alike, else an upgrade would let a cap be exceeded.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from quotas.caps.budgets import budget_at, name_of, places_at
from quotas.caps.reckoning import locked, reckon, used_at
from quotas.entitlements import snapshot
from quotas.meters import METERS


@transaction.atomic
def carry(*, tenant_id: UUID, now: datetime) -> None:
    """Let the present period's use so far weigh what it weighs now, whatever is granted next.

    Before the grant and in its transaction, on the square.
    """
    found = snapshot(tenant_id, now=now)
    if not found.weights:
        return
    budget = budget_at(found, now)
    row = locked(tenant_id, budget)
    row.carried = row.spent = reckon(tenant_id, budget).spent
    # Of every meter: the next terms may price what these do not.
    used = used_at(tenant_id, set(places_at(found, now, METERS)))
    row.since = {name_of(place): units for place, units in used.items()}
    row.save(update_fields=["carried", "spent", "since"])
