"""Units of a plan for the rows that a batch adds: all that fit are taken, in the writer's own transaction."""

from datetime import datetime

from apps.crm.services.batches.planning import Room
from config.context import require_tenant
from config.ids import new_id
from config.needs import Meter
from quotas import ledger
from quotas.refusals import QuotaExceeded, UsageRefused


def take(*, meter: Meter, wanted: int, now: datetime) -> Room | None:
    """Take `wanted` units, or as many as fit; None where all did, else how many and the refusal of the next.

    One statement where all fit. What a budget allows is found by halving, since a price is no number of units.
    """
    key, taken, step = f"batch:{new_id()}", 0, wanted
    refusal: UsageRefused | None = None
    while step and taken < wanted:
        try:
            ledger.consume(
                tenant_id=require_tenant().id,
                meter=meter,
                quantity=step,
                key=f"{key}:{taken}",
                now=now,
            )
        except UsageRefused as refused:
            refusal = refused
            step = min(step // 2, _left(refused, step))
        else:
            taken += step
            step = min(step, wanted - taken)
    return None if refusal is None else Room(taken, refusal)


def _left(refusal: UsageRefused, asked: int) -> int:
    """What the refusal says is left; a budget's says nothing of units."""
    if isinstance(refusal, QuotaExceeded):
        left = max(0, int(refusal.facts["limit"]) - int(refusal.facts["used"]))
        return left if left < asked else asked // 2
    return asked // 2
