"""May this request pass? State, address rate, feature, role, rates, quota: in this order, in one decision.

State, feature and role are read from the snapshot; the rates and the API calls are decided by one
awaited script in Redis, which counts all of them or none. A request refused for its feature or role
counts against its address alone.

`public` views know no caller: their address's rate alone applies. `critical` ones are what a refused
tenant must reach: their role and a fixed rate of the credential apply, and they count no API calls.

Without Redis the gate stays open within a bound: rates at a share in this process
(quotas/local_limiter.py), API calls counted in PostgreSQL.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpResponse

from config.errors import DomainError, PermissionDenied, RateLimited
from config.needs import SAFE_METHODS, Meter, Needs
from quotas import api_calls, ledger
from quotas.counters import CountersAway, CountersUnbegun, counters, key_of
from quotas.entitlements import Rate, Snapshot, snapshot
from quotas.local_limiter import LocalLimiter
from quotas.meters import period_start
from quotas.refusals import HOLDS, FeatureNotInPlan
from quotas.verdicts import Bucket, Calls, RateState, Verdict
from tenants.address import block_of
from tenants.identity.caller import Caller
from tenants.life.refusals import TenantClosing
from tenants.models import Tenant
from tenants.services import TenantSuspended

# Of one address at one tenant, on views that ask for no credentials.
PUBLIC_RATE = Rate(600, 60)
# Of one address at one tenant, with credentials; never below the tenant's own rate.
ADDRESS_RATE = Rate(6_000, 60)
# Of one credential on critical views, whatever the plan says.
CRITICAL_RATE = Rate(300, 60)
# Of a tenant to which no grant gives a rate.
UNGRANTED_RATE = Rate(60, 60)
_local = LocalLimiter()


@dataclass(frozen=True, slots=True)
class Question:
    """One request at one tenant. `address` is the client's, `method` the HTTP one."""

    tenant: Tenant
    needs: Needs
    caller: Caller
    method: str
    address: str
    now: datetime


@dataclass(slots=True)
class Decision:
    """Whether a request passes, and what to tell of it. `calls` are the API calls it has reserved."""

    refusal: DomainError | None = None
    rates: tuple[RateState, ...] = ()
    calls: Calls | None = None
    epoch: str = ""

    @property
    def allowed(self) -> bool:
        return self.refusal is None

    @property
    def tightest(self) -> RateState | None:
        """The rate of which least is left."""
        return min(self.rates, key=lambda state: state.remaining, default=None)

    def settle(self, *, kept: bool) -> None:
        """Keep the API calls counted, or give them back. Called once, when the answer is known."""
        calls, self.calls = self.calls, None
        if kept or calls is None:
            return
        if not self.epoch:
            api_calls.give_back_directly(calls)
            return
        try:
            counters().give_back(calls, self.epoch)
        except CountersAway:
            api_calls.give_back_directly(calls)

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


def decide(asked: Question) -> Decision:
    """Decide, and reserve the API calls of what is allowed: settle it when the answer is known.

    One SQL query for the snapshot, none for public and critical views; one more for the first call
    of a month, and for each call while Redis is away.
    """
    needs = asked.needs
    if needs.public:
        return _counted(asked, [_address_bucket(asked, PUBLIC_RATE)])
    if needs.critical:
        decision = _counted(asked, [_credential_bucket(asked, "critical", CRITICAL_RATE)])
        return _refused_late(decision, _role_refusal(asked))
    found = snapshot(asked.tenant.pk, now=asked.now)
    refusal = _state_refusal(asked.tenant, found)
    return Decision(refusal=refusal) if refusal else _decided_by_plan(asked, found)


def _decided_by_plan(asked: Question, found: Snapshot) -> Decision:
    tenant_rate = found.rates.get("tenant", UNGRANTED_RATE)
    address = _address_bucket(asked, max(ADDRESS_RATE, tenant_rate, key=_per_second))
    refusal = _feature_refusal(asked.needs, found) or _role_refusal(asked)
    if refusal:
        return _refused_late(_counted(asked, [address]), refusal)
    return _counted(asked, [address, *_plan_buckets(asked, found, tenant_rate)], found)


def _refused_late(decision: Decision, refusal: DomainError | None) -> Decision:
    """The rate's refusal comes first; `refusal` after it."""
    decision.refusal = decision.refusal or refusal
    return decision


def _state_refusal(tenant: Tenant, found: Snapshot) -> DomainError | None:
    if tenant.status == Tenant.Status.CLOSING:
        return TenantClosing(reason=tenant.closing_reason, erase_after=tenant.erase_after)
    if tenant.status != Tenant.Status.ACTIVE:
        return TenantSuspended(state=tenant.status, reason=tenant.suspended_reason)
    return HOLDS[found.hold]() if found.hold else None


def _feature_refusal(needs: Needs, found: Snapshot) -> DomainError | None:
    feature = needs.feature
    if feature is None or feature.value in found.features:
        return None
    return FeatureNotInPlan(feature=feature.value, upgrade_to=found.upgrade_with(feature))


def _role_refusal(asked: Question) -> DomainError | None:
    needed = asked.needs.role_for(asked.method)
    caller = asked.caller
    if caller.tenant_id != asked.tenant.pk or caller.role is None:
        return PermissionDenied()
    if not caller.role.permits(needed):
        return PermissionDenied(needed_role=needed.value, role=caller.role.value)
    scope = _scope_of(asked.method)
    if scope not in caller.scopes:
        return PermissionDenied(needed_scope=scope, scopes=sorted(caller.scopes))
    return None


def _scope_of(method: str) -> str:
    if method in SAFE_METHODS:
        return "read"
    return "delete" if method == "DELETE" else "write"


def _plan_buckets(asked: Question, found: Snapshot, tenant_rate: Rate) -> list[Bucket]:
    """The rates that the plan grants: the tenant's, and the credential's where it grants one."""
    cost = asked.needs.cost
    buckets = [_bucket(asked, "tenant", "", tenant_rate, cost)]
    if "credential" in found.rates:
        buckets.append(_credential_bucket(asked, "credential", found.rates["credential"], cost))
    return buckets


def _address_bucket(asked: Question, rate: Rate) -> Bucket:
    name = "public" if asked.needs.public else "address"
    return _bucket(asked, name, block_of(asked.address), rate)


def _credential_bucket(asked: Question, name: str, rate: Rate, cost: int = 1) -> Bucket:
    return _bucket(asked, name, asked.caller.credential_id, rate, cost)


def _bucket(asked: Question, name: str, counted: str, rate: Rate, cost: int = 1) -> Bucket:
    """Keyed by its rate too: what was used up under a slower plan does not delay a faster one.

    Hashed: an address is personal, and no text of a client's shapes a key.
    """
    digest = hashlib.blake2b(counted.encode(), digest_size=12).hexdigest()
    key = key_of(asked.tenant.pk, "rate", name, f"{rate.limit}-{rate.seconds}", digest)
    return Bucket(name, key, rate, cost)


def _per_second(rate: Rate) -> float:
    return rate.limit / rate.seconds


def _counted(asked: Question, buckets: Sequence[Bucket], found: Snapshot | None = None) -> Decision:
    """Count the request against its rates and, with a plan's snapshot, its API calls."""
    is_metered = found is not None and asked.needs.meter is Meter.API_CALLS
    calls = Calls(
        tenant_id=asked.tenant.pk,
        period_start=period_start(Meter.API_CALLS, asked.now),
        asked=asked.needs.cost if is_metered else 0,
        limit=found.limit(Meter.API_CALLS) if found else None,
    )
    verdict = _verdict(buckets, calls)
    refusal: DomainError | None = None
    if verdict.refused_by:
        refusal = RateLimited(retry_after_seconds=verdict.retry_seconds, rule=verdict.refused_by)
    elif verdict.is_exhausted and found:
        refusal = ledger.refusal(
            found, meter=Meter.API_CALLS, used=verdict.calls_used, asked=calls.asked, now=asked.now
        )
    return Decision(
        refusal=refusal,
        rates=verdict.rates,
        calls=calls if calls.asked and refusal is None else None,
        epoch=verdict.epoch,
    )


def _verdict(buckets: Sequence[Bucket], calls: Calls) -> Verdict:
    server = counters()
    try:
        try:
            return server.take(buckets, calls)
        except CountersUnbegun:
            return server.take(buckets, calls, api_calls.beginning(calls))
    except CountersAway:
        verdict = _local.take(buckets)
        if calls.asked and not verdict.refused_by:
            api_calls.count_directly(calls)
        return verdict
