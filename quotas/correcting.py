"""Corrections of reported usage: signed, with a reason, and pointing at the event that they change.

They count in the event's own period, even a closed one. Together with the event they are never below
zero; upward they meet the hard limit and the spend cap as the event did. Each is idempotent by a key of
its own.
"""

import hashlib
from datetime import datetime
from uuid import UUID

from config.errors import NotFound
from config.ids import new_id
from config.needs import Meter
from quotas import ledger
from quotas.alerts.crossing import promise_alerts
from quotas.caps.budgets import Budget, capped_budget
from quotas.caps.crossing import promise_spend_alerts
from quotas.entitlements import Snapshot, snapshot
from quotas.meters import METERS, period_start
from quotas.models import UsageEvent, UsageKey
from quotas.refusals import UsageBelowZero, UsageKeyReused


def find(*, tenant_id: UUID, key: str) -> UsageEvent:
    """The event reported under `key`. Raises NotFound."""
    event = _under(tenant_id, "reported", key)
    if event is None:
        raise NotFound()
    return event


def _under(tenant_id: UUID, kind: str, key: str) -> UsageEvent | None:
    # As plaza.usage_digest makes it; of such keys the meter is left out.
    digest = UUID(bytes=hashlib.sha256(f"{kind}\x1f\x1f{key}".encode()).digest()[:16])
    known = UsageKey.objects.filter(tenant_id=tenant_id, digest=digest).first()
    if known is None:
        return None
    rows = UsageEvent.objects.filter(tenant_id=tenant_id, id=known.event_id)
    return rows.filter(recorded_at=known.recorded_at).first()


def correct(
    *, tenant_id: UUID, event_key: str, key: str, quantity: int, reason: str, now: datetime
) -> tuple[UsageEvent, bool]:
    """Change what was reported under `event_key` by `quantity` (signed); (the correction, is it new).

    Raises NotFound, UsageBelowZero, UsageKeyReused and, upward past a hard limit or the spend cap,
    QuotaExceeded or SpendCapReached.
    """
    original = find(tenant_id=tenant_id, key=event_key)
    meter, found = Meter(original.meter), snapshot(tenant_id, now=now)
    limit = found.limit(meter) if found.is_hard(meter) and quantity > 0 else None
    budget = capped_budget(found, (meter, original.period_start), now=now)
    outcome = ledger.call(
        "correct_usage", str(new_id()), str(tenant_id), str(original.id), meter.value, key,
        str(quantity), reason, now.isoformat(), None if limit is None else str(limit),
        METERS[meter].aggregation.value, budget.as_json if budget else None,
    )  # fmt: skip
    word, *numbers = outcome.split(":")
    facts = [int(number) for number in numbers]
    if word == "below_zero":
        raise UsageBelowZero(key=event_key, quantity=original.quantity, asked=quantity)
    if word == "refused" and budget is not None and facts:
        raise ledger.capped(budget, meter=meter, spent=facts[0], asked=quantity)
    if word == "refused":
        used = ledger.used_in(tenant_id, meter, original.period_start)
        raise ledger.refusal(found, meter=meter, used=used, asked=quantity, now=now)
    if word == "corrected":
        _promise_alerts(found, original, budget, facts, now)
    made = _under(tenant_id, "corrected", key)
    if made is None:
        raise NotFound()
    if (made.corrects, made.quantity, made.reason) != (original.id, quantity, reason):
        raise UsageKeyReused(key=key)
    return made, word == "corrected"


def _promise_alerts(
    found: Snapshot, original: UsageEvent, budget: Budget | None, facts: list[int], now: datetime
) -> None:
    meter, (before, after, *spent) = Meter(original.meter), facts
    if original.period_start == period_start(meter, now, found.anchor):
        promise_alerts(found, meter=meter, quantity=after - before, used=after)
    promise_spend_alerts(found, budget, spent=spent, used={(meter, original.period_start): after})
