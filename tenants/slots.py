"""Worker slots: of one tenant's tasks no more run at once than its plan allows, on all machines together.

Each running task holds a lease in Redis for 60 s and renews it meanwhile, so that a killed worker's
slot is free again by itself. Without Redis tasks run: the workers themselves are the bound then.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from uuid import UUID

import redis
from django.conf import settings

from config.logs import logger

log = logger(__name__)
LEASE_SECONDS = 60.0
_RENEW_EVERY_SECONDS = 15.0
_PATIENCE_SECONDS = 1.0
# Of a request that only shows how many run.
_LOOK_SECONDS = 0.05
# Time is the server's, so that no machine's clock counts. A holder's second lease is its first.
_TAKE = """
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local held = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not held and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""
_COUNT = """
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
return redis.call('ZCOUNT', KEYS[1], '(' .. now, '+inf')
"""


class NoSlotFree(Exception):
    """As many of this tenant's tasks run as may: come back later."""


@contextmanager
def slot(*, tenant_id: UUID, slots: int | None, holder: str) -> Iterator[None]:
    """Hold one of the tenant's `slots` (None is no bound) as `holder`, which names one task.

    Raises NoSlotFree.
    """
    if slots is None:
        yield
        return
    lease = _Lease(_key(tenant_id), holder, slots)
    if not lease.take():
        raise NoSlotFree(holder)
    done = threading.Event()
    renewing = threading.Thread(target=lease.keep, args=[done], name="plaza-slot", daemon=True)
    renewing.start()
    try:
        yield
    finally:
        done.set()
        renewing.join()
        lease.give_back()


def in_use(tenant_id: UUID) -> int | None:
    """How many slots the tenant's tasks hold now; None where Redis does not answer at once."""
    try:
        return int(_server(settings.REDIS_URL, _LOOK_SECONDS).eval(_COUNT, 1, _key(tenant_id)))
    except redis.RedisError as error:
        log.warning("worker_slot.unknown", extra={"reason": type(error).__name__})
        return None


def _key(tenant_id: UUID) -> str:
    return f"plaza:{{{tenant_id.hex}}}:slots"


class _Lease:
    def __init__(self, key: str, holder: str, slots: int) -> None:
        self.key, self.holder, self.slots = key, holder, slots
        self.server = _server(settings.REDIS_URL, _PATIENCE_SECONDS)

    def take(self) -> bool:
        """Take or renew; True also where Redis does not answer."""
        milliseconds = int(LEASE_SECONDS * 1000)
        try:
            return bool(self.server.eval(_TAKE, 1, self.key, self.holder, self.slots, milliseconds))
        except redis.RedisError as error:
            log.warning("worker_slot.unknown", extra={"reason": type(error).__name__})
            return True

    def keep(self, done: threading.Event) -> None:
        while not done.wait(_RENEW_EVERY_SECONDS):
            self.take()

    def give_back(self) -> None:
        try:
            self.server.zrem(self.key, self.holder)
        except redis.RedisError as error:
            # It runs out by itself.
            log.warning("worker_slot.not_returned", extra={"reason": type(error).__name__})


@cache
def _server(url: str, patience_seconds: float) -> redis.Redis:
    return redis.Redis.from_url(
        url, socket_timeout=patience_seconds, socket_connect_timeout=patience_seconds
    )
