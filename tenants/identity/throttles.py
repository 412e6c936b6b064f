"""Limits on sign-in, sign-up and the like: django-ratelimit in Redis, and the last word with PostgreSQL.

Redis turns floods away without SQL; what it lets pass is counted in PostgreSQL too (attempts.py). So a
limit holds when Redis is away, and when it comes back having forgotten what it had counted. Where
PostgreSQL is away as well, or cannot count for good, the answer is 503: these limits never fail open.
"""

import hashlib
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import redis
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest
from django_ratelimit.core import get_usage

from config.errors import RateLimited, ServiceUnavailable
from config.logs import logger
from tenants.address import address_of, block_of
from tenants.identity import attempts
from tenants.isolation import square_context

log = logger(__name__)
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def limited(request: HttpRequest, *, group: str, keys: Sequence[str], rate: str) -> None:
    """Count one attempt of `keys` in `group`; `rate` is like "10/m". Raises RateLimited past it.

    `keys` begin with the kind of what is counted, which names the rule: `sign-in:account`. Counts hold over all hosts together: put the tenant's id into `keys` to count by tenant. Raises
    ServiceUnavailable where it cannot be counted.
    """
    # In square_context, since the cache's keys carry the tenant: guesses at acme and at globex are
    # guesses at the same person.
    limit, _, period = rate.partition("/")
    rule = _Rule(f"{group}:{keys[0]}", int(limit), _SECONDS[period])
    with square_context():
        is_counted = _count_in_redis(request, group, _joined(keys), rule, rate)
        if not _may_be_rolled_back(request):
            _count_in_postgres(_joined([group, *keys]), rule)
        elif not is_counted:
            log.warning("limit.unavailable", extra={"group": group, "reason": "kept answer"})
            raise ServiceUnavailable()


class _Rule(NamedTuple):
    """So many attempts in so many seconds; how a refusal names it."""

    name: str
    limit: int
    seconds: int

    def refusal(self, *, wait_seconds: float) -> RateLimited:
        return RateLimited(
            retry_after_seconds=wait_seconds,
            rule=self.name,
            limit=self.limit,
            window_seconds=self.seconds,
        )


def _count_in_redis(request: HttpRequest, group: str, value: str, rule: _Rule, rate: str) -> bool:
    """Raises RateLimited; False where Redis did not count."""
    try:
        usage: dict[str, Any] | None = get_usage(
            request, group=f"{group}:", key=lambda *_: value, rate=rate, increment=True
        )
    except redis.RedisError as error:
        log.warning("limit.without_redis", extra={"group": group, "reason": type(error).__name__})
        return False
    # Below zero is django-ratelimit's word for "could not count".
    if usage is None or usage["time_left"] < 0:
        return False
    if usage["should_limit"]:
        raise rule.refusal(wait_seconds=usage["time_left"])
    return True


def _count_in_postgres(key: str, rule: _Rule) -> None:
    # The clock of the windows in Redis: what passes there is not refused here for a clock's difference.
    now = datetime.fromtimestamp(time.time(), tz=UTC)
    try:
        wait = attempts.count(key=key, limit=rule.limit, seconds=rule.seconds, now=now)
    except (OperationalError, InterfaceError) as error:
        raise ServiceUnavailable() from error
    if wait is not None:
        raise rule.refusal(wait_seconds=wait)


def _may_be_rolled_back(request: HttpRequest) -> bool:
    """Whether a refusal takes back what was written: under an Idempotency-Key it does (config/idempotency.py).

    Such an attempt is counted by Redis alone, and refused without it: a guesser must not send that
    header to be counted nowhere.
    """
    return request.method == "POST" and bool(request.headers.get("Idempotency-Key"))


def by_address(request: HttpRequest) -> list[str]:
    """The `keys` of the client's address: a customer owns a whole /64 of IPv6."""
    return ["address", block_of(address_of(request))]


def _joined(keys: Sequence[str]) -> str:
    """One key of many parts, each with its length, so that ("ab", "c") and ("a", "bc") differ.

    Hashed: django-ratelimit joins it with group, rate and window without separators.
    """
    parts = "".join(f"{len(part)}:{part}" for part in keys)
    return hashlib.sha256(parts.encode()).hexdigest()
