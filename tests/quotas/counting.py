"""Questions to the script as tests ask them, without a database."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from config.ids import new_id
from config.quick_redis import QuickRedis
from quotas.counters import Beginning, Counters, key_of
from quotas.entitlements import Rate
from quotas.verdicts import Asked, Bucket, Calls, Lease, Verdict

NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)


def calls(tenant_id: UUID, asked: int = 1, limit: int | None = None) -> Calls:
    return Calls(tenant_id, NOVEMBER, asked, limit)


def bucket(tenant_id: UUID, limit: int, seconds: int = 3_600, cost: int = 1) -> Bucket:
    return Bucket("tenant", key_of(tenant_id, "rate", "tenant"), Rate(limit, seconds), cost)


def at(url: str) -> Counters:
    return Counters(QuickRedis(url, timeout_seconds=5), meant_for_seconds=5)


def take(
    server: Counters,
    buckets: list[Bucket],
    asked: Calls,
    beginning: Beginning | None = None,
    **question: Any,
) -> Verdict:
    lease = question.pop("lease", Lease(new_id().hex, 60))
    return server.take(Asked(asked, tuple(buckets), lease=lease, **question), beginning)
