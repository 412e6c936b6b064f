"""Limits on sign-in, sign-up and the like: django-ratelimit behind a wrapper that fails closed."""

import hashlib
from collections.abc import Sequence

import redis
from django.http import HttpRequest
from django_ratelimit.core import get_usage

from config.errors import RateLimited, ServiceUnavailable
from config.logs import logger
from tenants.address import address_of, block_of
from tenants.isolation import square_context

log = logger(__name__)


def limited(request: HttpRequest, *, group: str, keys: Sequence[str], rate: str) -> None:
    """Count one attempt of `keys` in `group`; `rate` is like "10/m". Raises RateLimited past it.

    Counts hold over all hosts together: put the tenant's id into `keys` to count by tenant. When
    Redis is away the answer is ServiceUnavailable: these limits guard identity and never fail open.
    """
    value = _joined(keys)
    try:
        # In square_context, since the cache's keys carry the tenant: guesses at acme and at globex
        # are guesses at the same person.
        with square_context():
            usage = get_usage(
                request, group=f"{group}:", key=lambda *_: value, rate=rate, increment=True
            )
    except redis.RedisError as error:
        log.warning("limit.unavailable", extra={"group": group, "reason": type(error).__name__})
        raise ServiceUnavailable() from error
    if usage is None or not usage["should_limit"]:
        return
    if usage["time_left"] < 0:  # django-ratelimit's word for "could not count"
        log.error("limit.unavailable", extra={"group": group, "reason": "not counted"})
        raise ServiceUnavailable()
    raise RateLimited(retry_after_seconds=usage["time_left"])


def by_address(request: HttpRequest) -> list[str]:
    """The `keys` of the client's address: a customer owns a whole /64 of IPv6."""
    return ["address", block_of(address_of(request))]


def _joined(keys: Sequence[str]) -> str:
    """One key of many parts, each with its length, so that ("ab", "c") and ("a", "bc") differ.

    Hashed: django-ratelimit joins it with group, rate and window without separators.
    """
    parts = "".join(f"{len(part)}:{part}" for part in keys)
    return hashlib.sha256(parts.encode()).hexdigest()
