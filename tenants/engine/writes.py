"""When a tenant last wrote, kept in Redis for all processes: a read within a second of it is the primary's.

A connection marks a tenant before its first writing statement, which is before any commit that could
be seen, and again when it is given back, which is after the last one. Between the two the mark is a
lease, so that no commit can be seen unmarked, however long it takes; who is killed meanwhile leaves a
lease that runs out by itself. Time is Redis's, so that no machine's clock counts.
"""

import re
import secrets
import time
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.logs import logger

log = logger(__name__)
QUIET_SECONDS = 1.0
LEASE_SECONDS = 60.0
RENEW_AFTER_SECONDS = 5.0
# After a loss of Redis's data any lease is new again by then, and its last unmarked commit a second old.
TRUSTED_AFTER_SECONDS = 10.0
TRUST_KEY = "plaza:writes:since"
_TIMEOUT_SECONDS = 0.05
_NOW = """
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
"""
_MARK = f"""{_NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
"""
_COUNT = f"{_NOW} return redis.call('ZCOUNT', KEYS[1], now, '+inf')"
# For how long Redis has had its data. Without them it knows of no write, which is not that there was none.
_SINCE = f"""{_NOW}
if redis.call('SET', KEYS[1], now, 'NX') then return 0 end
return now - tonumber(redis.call('GET', KEYS[1]))
"""
# SAVEPOINT and the like write nothing. Whatever else there is, a function of ours above all, may.
_PLAIN = re.compile(r"[\s(]*(?:SELECT|SAVEPOINT|RELEASE|ROLLBACK)\b", re.IGNORECASE)
_WRITING = re.compile(
    r"\b(?:INSERT|UPDATE|DELETE|MERGE|INTO|SHARE|plaza|nextval|setval|lo_\w+)\b", re.IGNORECASE
)


def is_plain_read(statement: Any) -> bool:
    """Whether a statement surely writes nothing; in doubt it does, which costs a mark."""
    return isinstance(statement, str) and _is_plain_read(statement)


# Looking through the text takes 40 µs; the same texts come again and again, with other parameters.
@lru_cache(maxsize=2048)
def _is_plain_read(statement: str) -> bool:
    return _PLAIN.match(statement) is not None and _WRITING.search(statement) is None


@dataclass(slots=True)
class _Lease:
    holder: str
    renewed_at: float = float("-inf")


@dataclass(slots=True)
class WriteMarks:
    """Those of one connection: of the tenants for which it has written since it was taken."""

    _leases: dict[UUID, _Lease] = field(default_factory=dict)

    def begin(self, tenant_id: UUID) -> None:
        """Before a statement that writes. Asks Redis at the first one, then every five seconds."""
        lease = self._leases.setdefault(tenant_id, _Lease(secrets.token_hex(8)))
        now = time.monotonic()
        if now - lease.renewed_at > RENEW_AFTER_SECONDS and _mark(
            {tenant_id: lease.holder}, LEASE_SECONDS
        ):
            lease.renewed_at = now

    def renew(self) -> None:
        """Before a commit."""
        for tenant_id in self._leases:
            self.begin(tenant_id)

    def settle(self) -> None:
        """After the last commit: from now on it is a second."""
        if self._leases:
            held = {tenant_id: lease.holder for tenant_id, lease in self._leases.items()}
            self._leases = {}
            _mark(held, QUIET_SECONDS)


def _mark(holders: dict[UUID, str], seconds: float) -> bool:
    pipeline = _server(settings.REDIS_URL).pipeline(transaction=False)
    longest = int(LEASE_SECONDS * 1000)
    for tenant_id, holder in holders.items():
        pipeline.eval(_MARK, 1, _key(tenant_id), holder, int(seconds * 1000), longest)
    try:
        pipeline.execute()
    except redis.RedisError as error:
        # The work goes on, as everywhere without Redis; nobody reads from the replica without it.
        log.warning("write.not_marked", extra={"reason": type(error).__name__})
        return False
    return True


def may_have_written(tenant_id: UUID) -> bool:
    """Whether the tenant wrote within the last second, or Redis cannot tell."""
    pipeline = _server(settings.REDIS_URL).pipeline(transaction=False)
    pipeline.eval(_COUNT, 1, _key(tenant_id))
    pipeline.eval(_SINCE, 1, TRUST_KEY)
    try:
        marks, known_for = (int(told) for told in pipeline.execute())
    except redis.RedisError as error:
        log.warning("write.unknown", extra={"reason": type(error).__name__})
        return True
    return marks > 0 or known_for < TRUSTED_AFTER_SECONDS * 1000


def _key(tenant_id: UUID) -> str:
    return f"plaza:{{{tenant_id.hex}}}:writes"


@cache
def _server(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=_TIMEOUT_SECONDS,
        socket_connect_timeout=_TIMEOUT_SECONDS,
        # A connection that the server closed meanwhile costs a retry.
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
    )
