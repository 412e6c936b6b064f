"""The counters in Redis: one awaited script for each decision, and never longer than a time-out.

All keys of a tenant share one hash tag, so that they lie on one node of a cluster.
"""

import math
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, cast
from uuid import UUID

import redis

from config.quick_redis import Argument, QuickRedis, RedisAway, Script, patient_redis, quick_redis
from quotas.server_clock import ServerClock
from quotas.verdicts import Asked, Bucket, Calls, Lease, RateState, Verdict
from tenants.versions import version_key

# Long enough for the flush to fold the last calls of a month.
_KEPT_AFTER_THE_MONTH = timedelta(days=40)
# Past this part of the time-out an answer could come too late: the server leaves it alone.
_MEANT_FOR_RATIO = 0.8
_ALLOWED, _EXHAUSTED, _UNBEGUN, _LATE, _OUT_OF_DATE, _CROWDED = 0, -1, -2, -3, -4, -5
_MICROSECONDS = 1_000_000
_FOLDER = Path(__file__).parent
_DECIDE = Script((_FOLDER / "gate.lua").read_text())
_SETTLE = Script((_FOLDER / "settle.lua").read_text())
# What the ledger knows only grows, and so does what a spool has counted (settle.lua).
_INFORM = Script("""
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
if tonumber(ARGV[2]) > tonumber(redis.call('HGET', KEYS[1], 'base')) then
  redis.call('HSET', KEYS[1], 'base', ARGV[2])
end
for index = 3, #ARGV, 2 do
  local field = 'spool:' .. ARGV[index]
  local more = tonumber(ARGV[index + 1]) - tonumber(redis.call('HGET', KEYS[1], field) or '0')
  if more > 0 then
    redis.call('HINCRBY', KEYS[1], 'counted', string.format('%.0f', more))
    redis.call('HSET', KEYS[1], field, ARGV[index + 1])
  end
end
return 1
""")
# Only what still runs: a lease that was settled meanwhile must not come back.
_RENEW = Script("""
local time = redis.call('TIME')
local ends = tonumber(time[1]) * 1000000 + tonumber(time[2]) + tonumber(ARGV[1])
for index = 2, #ARGV do
  redis.call('ZADD', KEYS[1], 'XX', string.format('%.0f', ends), ARGV[index])
end
return 1
""")


class CountersUnbegun(Exception):
    """Redis holds no API calls of this tenant and month: begin with the ledger's total."""


class Beginning(NamedTuple):
    """With what a month's counters begin: a new epoch's name and the ledger's total."""

    epoch: str
    base: int


class SpoolSum(NamedTuple):
    """All calls of a tenant and month that one process has counted in one epoch (quotas/spool.py)."""

    spool: str
    calls: int


class ApiCallCounters(NamedTuple):
    """One tenant's counters of one month, read at once."""

    epoch: str
    base: int
    counted: int
    reserved: int

    @property
    def used(self) -> int:
        return self.base + self.counted + self.reserved


def key_of(tenant_id: UUID, *parts: str) -> str:
    return ":".join((f"plaza:{{{tenant_id.hex}}}", *parts))


def calls_key(tenant_id: UUID, period_start: datetime) -> str:
    return key_of(tenant_id, "api-calls", f"{period_start:%Y%m}")


def running_key(tenant_id: UUID, period_start: datetime) -> str:
    """Of one month, since what is reserved belongs to that month's calls."""
    return key_of(tenant_id, "running", f"{period_start:%Y%m}")


def member_of(lease: Lease, calls: Calls) -> str:
    """How gate.lua finds what a lease that ran out had reserved."""
    return f"{lease.holder}:{calls.asked}"


class Counters:
    """One server's counters."""

    def __init__(self, server: QuickRedis, *, meant_for_seconds: float) -> None:
        self.server = server
        self._meant_for_seconds = meant_for_seconds
        self._clock = ServerClock()

    def take(self, asked: Asked, beginning: Beginning | None = None) -> Verdict:
        """Take all that is asked, or nothing. `beginning` is used where no calls are counted yet.

        Tried twice, since a question is late also where the server's clock was stepped. Raises
        RedisAway, and CountersUnbegun when it needs a beginning.
        """
        calls = asked.calls
        keys = [
            version_key(calls.tenant_id),
            calls_key(calls.tenant_id, calls.period_start),
            running_key(calls.tenant_id, calls.period_start),
            *[bucket.key for bucket in asked.buckets],
        ]
        arguments = _arguments(asked, beginning)
        for _ in range(2):
            sent = time.monotonic()
            deadline = self._clock.deadline(sent=sent, seconds=self._meant_for_seconds)
            answer: list[Any] = self.server.run(_DECIDE, keys, [deadline, *arguments])
            self._clock.learn(answer[1], sent=sent)
            if answer[0] != _LATE:
                return _read(answer, asked.buckets)
        raise RedisAway

    def settle(self, calls: Calls, lease: Lease, *, epoch: str, counted: SpoolSum | None) -> None:
        """End the lease. Its calls are in `counted`, or given back. Waits for no answer. Raises RedisAway."""
        keys = [
            calls_key(calls.tenant_id, calls.period_start),
            running_key(calls.tenant_id, calls.period_start),
        ]
        told = counted or ("", 0)
        self.server.tell(_SETTLE, keys, [member_of(lease, calls), epoch, calls.asked, *told])

    def renew(self, key: str, members: Sequence[str], *, seconds: int) -> None:
        """Prolong the leases of what still runs. Raises RedisAway."""
        self.server.run(_RENEW, [key], [seconds * _MICROSECONDS, *members])

    def inform(self, key: str, epoch: str, base: int, sums: Sequence[SpoolSum]) -> None:
        """Tell an epoch what else is used this month, and what spools have counted in it. Raises RedisAway."""
        told = [fact for each in sums for fact in each]
        self.server.run(_INFORM, [key], [epoch, base, *told])

    def read(self, keys: Iterable[str]) -> list[ApiCallCounters | None]:
        """The counters of each key, None where there are none. Raises RedisAway."""

        def asked(server: redis.Redis) -> list[list[bytes]]:
            pipeline = server.pipeline(transaction=False)
            for key in keys:
                pipeline.hmget(key, ["epoch", "base", "counted", "reserved"])
            return cast("list[list[bytes]]", pipeline.execute())

        return [
            ApiCallCounters(found[0].decode(), *(int(value) for value in found[1:]))
            if found[0]
            else None
            for found in self.server.ask(asked)
        ]


def _arguments(asked: Asked, beginning: Beginning | None) -> list[Argument]:
    calls, lease = asked.calls, asked.lease
    expires = calls.period_start + timedelta(days=31) + _KEPT_AFTER_THE_MONTH
    arguments: list[Argument] = [
        asked.version or "",
        calls.asked,
        -1 if calls.limit is None else calls.limit,
        *(beginning or ("", 0)),
        int(expires.timestamp()),
    ]
    if lease is None:
        arguments += ["", 0, -1]
    else:
        most = -1 if lease.most is None else lease.most
        arguments += [member_of(lease, calls), lease.seconds * _MICROSECONDS, most]
    for each in asked.buckets:
        arguments += [each.interval, each.rate.limit, each.charge]
    return arguments


def _read(answer: list[Any], buckets: Sequence[Bucket]) -> Verdict:
    code = answer[0]
    if code == _OUT_OF_DATE:
        return Verdict(is_out_of_date=True)
    if code == _UNBEGUN:
        raise CountersUnbegun
    _code, _now, retry, used, epoch, running, *states = answer
    return Verdict(
        rates=tuple(
            RateState(
                name=bucket.name,
                rate=bucket.rate,
                remaining=states[2 * index],
                resets_seconds=math.ceil(states[2 * index + 1] / _MICROSECONDS),
            )
            for index, bucket in enumerate(buckets)
        ),
        refused_by=buckets[code - 1].name if code > _ALLOWED else "",
        retry_seconds=retry / _MICROSECONDS,
        is_exhausted=code == _EXHAUSTED,
        is_crowded=code == _CROWDED,
        calls_used=used,
        running=running,
        epoch=epoch.decode(),
    )


_by_server: dict[QuickRedis, Counters] = {}


def counters() -> Counters:
    """For requests, which must not wait."""
    return _of(quick_redis())


def patient_counters() -> Counters:
    """For tasks, which read thousands of keys at once."""
    return _of(patient_redis())


def _of(server: QuickRedis) -> Counters:
    found = _by_server.get(server)
    if found is None:
        meant_for = server.timeout_seconds * _MEANT_FOR_RATIO
        found = _by_server.setdefault(server, Counters(server, meant_for_seconds=meant_for))
    return found
