"""The counters in Redis: one awaited script for each decision, and never longer than a time-out.

A stalled server costs one request 50 ms, then nothing until a probe finds it back. All keys of a
tenant share one hash tag, so that they lie on one node of a cluster.
"""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.retry import Retry

from config.logs import logger
from quotas.breaker import Breaker
from quotas.server_clock import ServerClock
from quotas.verdicts import Bucket, Calls, RateState, Verdict

log = logger(__name__)
TIMEOUT_SECONDS = 0.05
_PATIENCE_SECONDS = 5.0
# Long enough for the flush to fold the last calls of a month.
_KEPT_AFTER_THE_MONTH = timedelta(days=40)
# Past this part of the time-out an answer could come too late: the server leaves it alone.
_MEANT_FOR_RATIO = 0.8
_ALLOWED, _EXHAUSTED, _UNBEGUN, _LATE = 0, -1, -2, -3
# Counters of another epoch know nothing of what is given back.
_GIVE_BACK = """
local time = redis.call('TIME')
local now, deadline = tonumber(time[1]) * 1000000 + tonumber(time[2]), tonumber(ARGV[1])
if deadline > 0 and now > deadline then return { -3, now } end
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[2] then return { 0, now } end
redis.call('HINCRBY', KEYS[1], 'returned', ARGV[3])
return { 1, now }
"""
_REBASE = """
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'base', ARGV[2])
return 1
"""
T = TypeVar("T")


class CountersAway(Exception):
    """Redis does not answer, or not in time."""


class CountersUnbegun(Exception):
    """Redis holds no API calls of this tenant and month: begin with the ledger's total."""


class Beginning(NamedTuple):
    """With what a month's counters begin: a new epoch's name and the ledger's total."""

    epoch: str
    base: int


class ApiCallCounters(NamedTuple):
    """One tenant's counters of one month, read at once."""

    epoch: str
    base: int
    counted: int
    returned: int


def key_of(tenant_id: UUID, *parts: str) -> str:
    return ":".join((f"plaza:{{{tenant_id.hex}}}", *parts))


def calls_key(tenant_id: UUID, period_start: datetime) -> str:
    return key_of(tenant_id, "calls", f"{period_start:%Y%m}")


class Counters:
    """One server's counters, with a breaker."""

    def __init__(self, url: str, *, timeout_seconds: float) -> None:
        self._client = redis.Redis.from_url(
            url,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            # A connection that the server closed meanwhile costs a retry; a time-out is not tried again.
            retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
        )
        self._meant_for_seconds = timeout_seconds * _MEANT_FOR_RATIO
        self._clock = ServerClock()
        self.breaker = Breaker()
        source = Path(__file__).with_name("gate.lua").read_text()
        self._decide = self._client.register_script(source)
        self._give_back = self._client.register_script(_GIVE_BACK)
        self._rebase = self._client.register_script(_REBASE)

    def take(
        self, buckets: Sequence[Bucket], calls: Calls, beginning: Beginning | None = None
    ) -> Verdict:
        """Take from every bucket and the calls, or from none. `beginning` is used where nothing is yet.

        Raises CountersAway, and CountersUnbegun when it needs a beginning.
        """
        keys = [calls_key(calls.tenant_id, calls.period_start), *(each.key for each in buckets)]
        allowed = -1 if calls.limit is None else calls.limit
        expires = calls.period_start + timedelta(days=31) + _KEPT_AFTER_THE_MONTH
        arguments: list[str | int] = [calls.asked, allowed, *(beginning or ("", 0))]
        arguments.append(int(expires.timestamp()))
        for each in buckets:
            arguments += [each.interval, each.rate.limit, each.charge]
        answer = self._decided(self._decide, keys, arguments)
        if answer[0] == _UNBEGUN:
            raise CountersUnbegun
        return _verdict(answer, buckets)

    def give_back(self, calls: Calls, epoch: str) -> bool:
        """Give API calls back; False when they were counted in an epoch that is lost. Raises CountersAway."""
        key = calls_key(calls.tenant_id, calls.period_start)
        return bool(self._decided(self._give_back, [key], [epoch, calls.asked])[0])

    def rebase(self, key: str, epoch: str, base: int) -> None:
        """Tell an epoch what else is used this month. Raises CountersAway."""
        self._ask(lambda: self._rebase(keys=[key], args=[epoch, base]))

    def read(self, keys: Iterable[str]) -> list[ApiCallCounters | None]:
        """The counters of each key, None where there are none. Raises CountersAway."""
        pipeline = self._client.pipeline(transaction=False)
        for key in keys:
            pipeline.hmget(key, ["epoch", "base", "counted", "returned"])
        return [
            ApiCallCounters(found[0].decode(), *(int(value) for value in found[1:]))
            if found[0]
            else None
            for found in self._ask(pipeline.execute)
        ]

    def _decided(self, script: Script, keys: list[str], arguments: list[str | int]) -> list[Any]:
        """The answer of a script that counts, which leaves alone what comes too late. Tried twice, since
        a question is late also where the server's clock was stepped.
        """
        for _ in range(2):
            sent = time.monotonic()
            deadline = self._clock.deadline(sent=sent, seconds=self._meant_for_seconds)
            answer: list[Any] = self._ask(partial(script, keys, [deadline, *arguments]))
            self._clock.learn(answer[1], sent=sent)
            if answer[0] != _LATE:
                return answer
        raise CountersAway

    def _ask(self, question: Callable[[], Any]) -> Any:
        try:
            if self.breaker.is_open:
                self._probe()
            return question()
        except (redis.RedisError, OSError) as error:
            if self.breaker.open():
                log.exception("counters.lost", extra={"reason": type(error).__name__})
            raise CountersAway from error

    def _probe(self) -> None:
        """A PING, not a decision: a stalled server would count that later, when it is decided elsewhere."""
        if not self.breaker.may_probe():
            raise CountersAway
        self._client.ping()
        self.breaker.close()
        log.info("counters.found")


def _verdict(answer: list[Any], buckets: Sequence[Bucket]) -> Verdict:
    code, _now, retry, used, epoch, *states = answer
    return Verdict(
        rates=tuple(
            RateState(
                name=bucket.name,
                rate=bucket.rate,
                remaining=states[2 * index],
                resets_seconds=math.ceil(states[2 * index + 1] / 1_000_000),
            )
            for index, bucket in enumerate(buckets)
        ),
        refused_by=buckets[code - 1].name if code > _ALLOWED else "",
        retry_seconds=retry / 1_000_000,
        is_exhausted=code == _EXHAUSTED,
        calls_used=used,
        epoch=epoch.decode(),
    )


@cache
def counters_at(url: str, timeout_seconds: float) -> Counters:
    """One for each process, server and patience."""
    return Counters(url, timeout_seconds=timeout_seconds)


def counters() -> Counters:
    """For requests, which must not wait."""
    return counters_at(settings.REDIS_URL, TIMEOUT_SECONDS)


def patient_counters() -> Counters:
    """For tasks, which read thousands of keys at once."""
    return counters_at(settings.REDIS_URL, _PATIENCE_SECONDS)
