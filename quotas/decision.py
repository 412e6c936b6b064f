"""What the gate decided of one request: the same object makes the answer, its headers, the log and the metric."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.utils.dateparse import parse_datetime

from config.errors import DomainError, RateLimited
from quotas.entitlements import Rate, Snapshot
from quotas.refusals import SpendCapReached, UsageRefused
from quotas.running import Ticket
from quotas.verdicts import RateState

# The kind of rule by which a tenant's own spend cap refuses a meter.
SPEND_CAP = "spend_cap"
# So many refused items of a batch are named in its explanation.
_MOST_ITEMS = 20


@dataclass(slots=True)
class Decision:
    """`refusal` None lets the request in. `rule` is what decided: `state`, `role`, `feature:crm`,
    `rate:tenant`, `concurrency`, `load`, `meter:api_calls`, `spend_cap:emails`; `admitted` when nothing refused.

    `limit` and `used` are the deciding rule's units (the tightest rate's where nothing refused), None
    where it has none. `is_out_of_date`: decided by what was true before, so that it must be asked again.
    """

    refusal: DomainError | None = None
    rule: str = "admitted"
    rates: tuple[RateState, ...] = ()
    limit: int | None = None
    used: int | None = None
    resets_at: datetime | None = None
    entitlements: Snapshot | None = None
    is_out_of_date: bool = False
    decided_at: datetime | None = None
    ticket: Ticket | None = None

    @property
    def allowed(self) -> bool:
        return self.refusal is None

    @property
    def code(self) -> str:
        """The refusal's code, or `allowed`."""
        return self.refusal.code if self.refusal else "allowed"

    @property
    def remaining(self) -> int | None:
        """Units left under the deciding rule, from 0."""
        if self.limit is None or self.used is None:
            return None
        return max(0, self.limit - self.used)

    @property
    def retry_after(self) -> int | None:
        """Whole seconds after which the same request may pass by itself; None where waiting does not help."""
        told = self.refusal.headers.get("Retry-After") if self.refusal else None
        if told is not None:
            return int(told)
        if self.refusal is None or self.resets_at is None or self.decided_at is None:
            return None
        return max(0, -(-(self.resets_at - self.decided_at) // timedelta(seconds=1)))

    @property
    def upgrade_to(self) -> str | None:
        """The cheapest plan that would allow it."""
        return self.refusal.facts.get("upgrade_to") if self.refusal else None

    @property
    def tightest(self) -> RateState | None:
        """The rate of which least is left."""
        return min(self.rates, key=lambda state: state.remaining, default=None)

    def settle(self, *, kept: int) -> None:
        """Keep so many of the reserved calls counted, and give the rest back. When the answer is known; harmless twice."""
        ticket, self.ticket = self.ticket, None
        if ticket is not None:
            ticket.settle(kept=kept)

    def told(self) -> dict[str, Any]:
        """As JSON, for the log, the explanation and the console."""
        resets_at = self.resets_at.isoformat().replace("+00:00", "Z") if self.resets_at else None
        return {
            "allowed": self.allowed,
            "code": self.code,
            "rule": self.rule,
            "limit": self.limit,
            "used": self.used,
            "remaining": self.remaining,
            "resets_at": resets_at,
            "retry_after": self.retry_after,
            "plan": self.entitlements.plan if self.entitlements else None,
            "upgrade_to": self.upgrade_to,
        }

    def stamp(self, response: HttpResponse) -> HttpResponse:
        """Tell the client its rates, as draft-ietf-httpapi-ratelimit-headers-10 spells them."""
        # The address's rate stands above every plan's: it is news only where it stands alone.
        shown = [state for state in self.rates if state.name != "address"] or self.rates
        if shown:
            response["RateLimit-Policy"] = ", ".join(
                f'"{state.name}";q={state.rate.limit};w={state.rate.seconds}' for state in shown
            )
            response["RateLimit"] = ", ".join(
                f'"{state.name}";r={state.remaining};t={state.resets_seconds}' for state in shown
            )
        return response


def throttled(refused: RateLimited, admitted: Decision) -> Decision:
    """That of a rate which the view itself counts (tenants/identity/throttles.py)."""
    facts = refused.facts
    rate = Rate(facts["limit"], facts["window_seconds"])
    state = RateState(facts["rule"], rate, remaining=0, resets_seconds=facts["retry_after_seconds"])
    return Decision(
        refusal=refused,
        rule=f"rate:{facts['rule']}",
        rates=(state,),
        limit=rate.limit,
        used=rate.limit,
        decided_at=admitted.decided_at,
    )


def late_decisions(
    refused: DomainError | None, items: Mapping[int, DomainError], admitted: Decision
) -> list[Decision]:
    """Those of meters of the ledger, and of rates that views count, in the work of a request that was admitted.

    Of a batch one for each rule that refused items: of the first of them, with the places of all.
    """
    if isinstance(refused, RateLimited):
        return [throttled(refused, admitted)]
    if isinstance(refused, UsageRefused):
        return [_late(refused, admitted)]
    by_rule: dict[str, tuple[UsageRefused, list[int]]] = {}
    for index, error in items.items():
        if isinstance(error, UsageRefused):
            by_rule.setdefault(_rule(error), (error, []))[1].append(index)
    return [
        _late(type(first)(**first.facts, items=places[:_MOST_ITEMS]), admitted)
        for first, places in by_rule.values()
    ]


def _rule(refused: UsageRefused) -> str:
    kind = SPEND_CAP if isinstance(refused, SpendCapReached) else "meter"
    return f"{kind}:{refused.facts['meter']}"


def _late(refused: UsageRefused, admitted: Decision) -> Decision:
    facts, is_capped = refused.facts, isinstance(refused, SpendCapReached)
    return Decision(
        refusal=refused,
        rule=_rule(refused),
        limit=facts["cap" if is_capped else "limit"],
        used=facts["spent" if is_capped else "used"],
        resets_at=parse_datetime(facts.get("resets_at") or ""),
        decided_at=admitted.decided_at,
        entitlements=admitted.entitlements,
    )
