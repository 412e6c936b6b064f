"""Which rates a request must pass: its address's, and what the plan grants the tenant, the credential, the endpoint."""

import hashlib

from config.needs import Needs
from quotas.counters import key_of
from quotas.entitlements import Rate, Snapshot
from quotas.question import Question
from quotas.verdicts import Bucket
from tenants.address import block_of

# Of one address at one tenant, on views that ask for no credentials.
PUBLIC_RATE = Rate(600, 60)
# Of one address at one tenant, with credentials; never below the tenant's own rate.
ADDRESS_RATE = Rate(6_000, 60)
# Of one credential on critical views, whatever the plan says.
CRITICAL_RATE = Rate(300, 60)
# Of a tenant to which no grant gives a rate.
UNGRANTED_RATE = Rate(60, 60)


def public_bucket(asked: Question) -> Bucket:
    return _bucket(asked, "public", block_of(asked.address), PUBLIC_RATE)


def critical_bucket(asked: Question) -> Bucket:
    return _bucket(asked, "critical", asked.caller.credential_id, CRITICAL_RATE)


def address_bucket(asked: Question, found: Snapshot) -> Bucket:
    rate = max(ADDRESS_RATE, _tenant_rate(found), key=_per_second)
    return _bucket(asked, "address", block_of(asked.address), rate)


def plan_buckets(asked: Question, found: Snapshot) -> list[Bucket]:
    """The rates that the plan grants: the tenant's, and the credential's and the endpoint's where there are some."""
    buckets = [_bucket(asked, "tenant", "", _tenant_rate(found), asked.cost.rate)]
    if "credential" in found.rates:
        counted, rate = asked.caller.credential_id, found.rates["credential"]
        buckets.append(_bucket(asked, "credential", counted, rate, asked.cost.rate))
    endpoint = _endpoint_scope(asked.needs)
    if endpoint in found.rates:
        buckets.append(_bucket(asked, endpoint, "", found.rates[endpoint]))
    return buckets


def _endpoint_scope(needs: Needs) -> str:
    return needs.rate.scope if needs.rate else ""


def _tenant_rate(found: Snapshot) -> Rate:
    return found.rates.get("tenant", UNGRANTED_RATE)


def _per_second(rate: Rate) -> float:
    return rate.limit / rate.seconds


def _bucket(asked: Question, name: str, counted: str, rate: Rate, cost: int = 1) -> Bucket:
    """Keyed by its rate too: what was used up under a slower plan does not delay a faster one.

    Hashed: an address is personal, and no text of a client's shapes a key.
    """
    digest = hashlib.blake2b(counted.encode(), digest_size=12).hexdigest() if counted else "all"
    key = key_of(asked.tenant.pk, "rate", name, f"{rate.limit}-{rate.seconds}", digest)
    return Bucket(name, key, rate, cost)
