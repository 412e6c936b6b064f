"""What each of a tenant's meters comes to at its present pace."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from quotas.daily import daily_usage
from quotas.forecast import Forecast, forecast
from quotas.ledger import MeterUsage


@dataclass(frozen=True, slots=True)
class Outlook:
    """A meter's usage and where it leads; `forecast` None where `days_known` are too few to say."""

    usage: MeterUsage
    days_known: int
    forecast: Forecast | None


def outlooks(tenant_id: UUID, usage: Sequence[MeterUsage], *, now: datetime) -> list[Outlook]:
    """For each of `usage` in order. One query."""
    known = daily_usage(tenant_id=tenant_id, meters=[each.meter for each in usage], now=now)
    return [
        Outlook(
            usage=each,
            days_known=len(known[each.meter].days),
            forecast=forecast(
                days=known[each.meter].days,
                last_day=known[each.meter].last_day,
                used=each.used,
                limit=each.limit,
                at=now,
                ends_at=each.resets_at,
            ),
        )
        for each in usage
    ]
