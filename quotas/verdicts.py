"""What is asked of the counters, and what they answer: the same from Redis and from the local limiter."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from config.needs import Meter
from quotas.caps.budgets import Budget, Part, Place
from quotas.entitlements import Rate

_MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Bucket:
    """One rate to pass: `name` stands in the RateLimit headers, `key` is where it is counted."""

    name: str
    key: str
    rate: Rate
    cost: int = 1

    @property
    def interval(self) -> int:
        """Microseconds from one unit to the next; rounded up, so that the rate is never exceeded."""
        return -(-self.rate.seconds * _MICROSECONDS // self.rate.limit)

    @property
    def charge(self) -> int:
        """A cost above the whole bucket would never pass: it then takes the whole bucket."""
        return min(self.cost, self.rate.limit)


@dataclass(frozen=True, slots=True)
class Calls:
    """API calls asked of one tenant and month. `limit` None is unlimited.

    `budget` is that which calls above the included weigh against; None where no cap holds.
    """

    tenant_id: UUID
    period_start: datetime
    asked: int
    limit: int | None
    budget: Budget | None = None

    @property
    def place(self) -> Place:
        return Meter.API_CALLS, self.period_start

    @property
    def weighed(self) -> Part | None:
        """Their part of the budget."""
        parts = self.budget.parts if self.budget else ()
        return next((part for part in parts if (part.meter, part.period) == self.place), None)


@dataclass(frozen=True, slots=True)
class Lease:
    """A place among what runs at once, held until it is settled or `seconds` have passed.

    `holder` names one request. `most` None is no bound.
    """

    holder: str
    seconds: int
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One question. `version` None is compared with nothing; `lease` None holds no place."""

    calls: Calls
    buckets: tuple[Bucket, ...] = ()
    version: str | None = None
    lease: Lease | None = None


@dataclass(frozen=True, slots=True)
class RateState:
    """One rate after the decision: units left, and seconds until it is full again."""

    name: str
    rate: Rate
    remaining: int
    resets_seconds: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """`refused_by` names the rate that refused, or is empty; `is_exhausted`: no API calls are left.

    `is_crowded`: as many run at once as may. `is_capped`: the budget, of which `spent` minor units are
    spent, does not pay for them. `is_out_of_date`: the tenant has another version, and
    nothing was counted. `calls_used` and `epoch` are of the API calls counted, when some were asked.
    """

    rates: tuple[RateState, ...] = ()
    refused_by: str = ""
    retry_seconds: float = 0.0
    is_exhausted: bool = False
    is_crowded: bool = False
    is_capped: bool = False
    is_out_of_date: bool = False
    calls_used: int = 0
    running: int = 0
    epoch: str = ""
    spent: int = 0
