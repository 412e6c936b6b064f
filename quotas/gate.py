"""May this request pass? State, address rate, feature, role, rates, how many at once, quota: in this order, in one decision.

What the tenant is and may do is read from this process's snapshot. One awaited script in Redis compares
the snapshot's version, and decides the rates, the places and the API calls: all of them count, or none.
A snapshot of another version decides nothing: the decision is out of date, and the request is asked
again by a fresh one (tenants/middleware.py). A request refused for its feature or role counts against
its address alone.

`public` views know no caller: their address's rate alone applies. `critical` ones are what a refused
tenant must reach: their role and a fixed rate of the credential apply, and they count no API calls.

Without Redis the gate stays open within a bound: rates at a share in this process
(quotas/local_limiter.py), API calls remembered by it (quotas/spool.py).

API calls above the included weigh against a capped budget. Redis compares them with what the ledger said
of the rest of the budget at most SPENT_SECONDS ago, while a writer of other meters compares with the calls
that are folded, which a second's are not. So a budget is exceeded by no more than the price of the calls
let in within these three seconds; what comes after the fold is exact again, and refused.
"""

from collections.abc import Sequence
from datetime import datetime

from config.errors import DomainError, RateLimited
from config.needs import Meter, Needs
from config.quick_redis import RedisAway, quick_redis
from quotas import api_calls, ledger
from quotas.buckets import address_bucket, critical_bucket, plan_buckets, public_bucket
from quotas.caps.budgets import capped_budget
from quotas.counters import CountersUnbegun, counters
from quotas.decision import SPEND_CAP, Decision
from quotas.entitlements import Snapshot, snapshot, within
from quotas.local_limiter import LocalLimiter
from quotas.meters import period_start, resets_at
from quotas.question import Question
from quotas.refusals import TooManyAtOnce
from quotas.rules import feature_refusal, role_refusal, state_refusal
from quotas.running import LEASE_SECONDS, Ticket, begin
from quotas.verdicts import Asked, Bucket, Calls, Lease, Verdict
from tenants.models import Tenant

CONCURRENCY = "concurrency"
_CALLS = Meter.API_CALLS
_local = LocalLimiter()


def decide(asked: Question) -> Decision:
    """Decide, and reserve what is allowed: settle it when the answer is known.

    No SQL where the snapshot is warm; one query for the first call of a month.
    """
    needs = asked.needs
    if needs.public:
        return _counted(asked, [public_bucket(asked)])
    if needs.critical:
        decision = _counted(asked, [critical_bucket(asked)])
        return _refused_late(decision, role_refusal(asked), "role")
    found = within(asked.snapshot, asked.tenant.pk, now=asked.now)
    refusal = state_refusal(asked.tenant, found, method=asked.method)
    if refusal is not None:
        # Only whether that is still so is asked: a refused tenant counts against nothing.
        decision = _counted(asked, [])
        decision.entitlements = found
        return _refused_late(decision, refusal, "state")
    return _decided_by_plan(asked, found)


def decide_work(tenant: Tenant, needs: Needs, *, now: datetime) -> Decision:
    """The same of work that no request waits for: the tenant's state and its plan's features, as they are now.

    A task has no address, no caller and no rate; how many run at once are worker slots (tenants/slots.py).
    `tenant` is freshly read. One query, on the square or in the lookup's place.
    """
    found = snapshot(tenant.pk, now=now)
    refusal, rule = (None if needs.critical else state_refusal(tenant, found)), "state"
    if refusal is None and needs.feature is not None:
        refusal, rule = feature_refusal(needs, found), f"feature:{needs.feature.value}"
    rule = "admitted" if refusal is None else rule
    return Decision(refusal=refusal, rule=rule, entitlements=found, decided_at=now)


def _decided_by_plan(asked: Question, found: Snapshot) -> Decision:
    needs = asked.needs
    address = address_bucket(asked, found)
    rule = f"feature:{needs.feature.value}" if needs.feature else ""
    refusal = feature_refusal(needs, found)
    if refusal is None:
        rule, refusal = "role", role_refusal(asked)
    if refusal is not None:
        decision = _counted(asked, [address])
        decision.entitlements = found
        return _refused_late(decision, refusal, rule)
    decision = _counted(asked, [address, *plan_buckets(asked, found)], found)
    decision.entitlements = found
    return decision


def _refused_late(decision: Decision, refusal: DomainError | None, rule: str) -> Decision:
    """The rate's refusal comes first; `refusal` after it."""
    if refusal is not None and decision.refusal is None:
        decision.refusal, decision.rule = refusal, rule
        decision.limit = decision.used = decision.resets_at = None
        decision.settle(kept=0)
    return decision


def _counted(asked: Question, buckets: Sequence[Bucket], found: Snapshot | None = None) -> Decision:
    """Count the request against its rates and, with a plan's snapshot, its place and its API calls."""
    is_metered = found is not None and asked.needs.meter is _CALLS
    month = period_start(_CALLS, asked.now)
    calls = Calls(
        tenant_id=asked.tenant.pk,
        period_start=month,
        asked=asked.cost.calls if is_metered else 0,
        limit=found.limit(_CALLS) if found and found.is_hard(_CALLS) else None,
        budget=capped_budget(found, (_CALLS, month), now=asked.now) if found else None,
    )
    question = Asked(
        calls=calls,
        buckets=tuple(buckets),
        version=asked.snapshot.version,
        lease=_lease(asked, found, calls),
    )
    verdict, is_local = _verdict(question)
    if verdict.is_out_of_date:
        return Decision(is_out_of_date=True)
    decision = _decision(asked, found, question, verdict)
    if decision.allowed:
        decision.ticket = begin(
            Ticket(calls, None if is_local else question.lease, epoch=verdict.epoch)
        )
    if not is_local and _has_reconnected(asked):
        # Redis may have come back, with the version of before, just when it was asked.
        decision.settle(kept=0)
        return Decision(is_out_of_date=True)
    return decision


def _has_reconnected(asked: Question) -> bool:
    snapshot = asked.snapshot
    return snapshot.version is not None and snapshot.connected != quick_redis().connected


def _lease(asked: Question, found: Snapshot | None, calls: Calls) -> Lease | None:
    if found is None:
        return None
    bound = found.rates.get(CONCURRENCY)
    if bound is None and not calls.asked:
        return None
    return Lease(
        holder=asked.holder,
        seconds=bound.seconds if bound else LEASE_SECONDS,
        most=bound.limit if bound else None,
    )


def _verdict(question: Asked) -> tuple[Verdict, bool]:
    """The verdict, and whether it is this process's own, since Redis is away."""
    server = counters()
    try:
        try:
            return server.take(question), False
        except CountersUnbegun:
            return server.take(question, api_calls.beginning(question.calls)), False
    except RedisAway:
        if question.version is not None:
            # What was known before may be wrong by now, and nobody can tell: ask PostgreSQL.
            return Verdict(is_out_of_date=True), True
        return _by_ledger(question.calls) or _local.take(question.buckets), True


def _by_ledger(calls: Calls) -> Verdict | None:
    """Without Redis: refused where the ledger says that a budget does not pay for these calls."""
    part, budget = calls.weighed, calls.budget
    if part is None or budget is None or not calls.asked:
        return None
    told = api_calls.beginning(calls)
    before, after = part.of(told.base), part.of(told.base + calls.asked)
    spent = (told.elsewhere or 0) + before
    if after == before or spent + after - before <= (budget.cap or 0):
        return None
    return Verdict(is_capped=True, calls_used=told.base, spent=spent)


def _decision(
    asked: Question, found: Snapshot | None, question: Asked, verdict: Verdict
) -> Decision:
    refused = _refusal(asked, found, question, verdict)
    refusal, rule = refused or (None, "admitted")
    limit, used, resets = _shown(asked.now, rule, question, verdict)
    return Decision(
        refusal=refusal, rule=rule, rates=verdict.rates,
        limit=limit, used=used, resets_at=resets, decided_at=asked.now,
    )  # fmt: skip


def _refusal(
    asked: Question, found: Snapshot | None, question: Asked, verdict: Verdict
) -> tuple[DomainError, str] | None:
    if verdict.refused_by:
        return _rate_refusal(verdict), f"rate:{verdict.refused_by}"
    if verdict.is_crowded and question.lease:
        return TooManyAtOnce(limit=question.lease.most, running=verdict.running), CONCURRENCY
    return _refusal_of_calls(asked, found, question.calls, verdict)


def _rate_refusal(verdict: Verdict) -> RateLimited:
    rate = next(state.rate for state in verdict.rates if state.name == verdict.refused_by)
    return RateLimited(
        retry_after_seconds=verdict.retry_seconds,
        rule=verdict.refused_by,
        limit=rate.limit,
        window_seconds=rate.seconds,
    )


def _refusal_of_calls(
    asked: Question, found: Snapshot | None, calls: Calls, verdict: Verdict
) -> tuple[DomainError, str] | None:
    if verdict.is_capped and calls.budget:
        capped = ledger.capped(calls.budget, meter=_CALLS, spent=verdict.spent, asked=calls.asked)
        return capped, f"{SPEND_CAP}:{_CALLS.value}"
    if verdict.is_exhausted and found:
        refusal = ledger.refusal(
            found, meter=_CALLS, used=verdict.calls_used, asked=calls.asked, now=asked.now
        )
        return refusal, f"meter:{_CALLS.value}"
    return None


def _shown(
    now: datetime, rule: str, question: Asked, verdict: Verdict
) -> tuple[int | None, int | None, datetime | None]:
    """Limit, used and reset of the rule that decided; of the API calls where nothing refused."""
    calls = question.calls
    if rule == CONCURRENCY and question.lease:
        return question.lease.most, verdict.running, None
    if rule.startswith("rate:"):
        state = next(each for each in verdict.rates if f"rate:{each.name}" == rule)
        return state.rate.limit, state.rate.limit - state.remaining, None
    if verdict.is_capped and calls.budget:
        return calls.budget.cap, verdict.spent, calls.budget.ends_at
    resets = resets_at(_CALLS, now) if calls.asked else None
    return (calls.limit, verdict.calls_used, resets) if calls.asked else (None, None, None)
