"""The counters in Redis: one awaited script for each decision, and never longer than a time-out.

All keys of a tenant share one hash tag, so that they lie on one node of a cluster.
"""

import json
import math
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, cast
from uuid import UUID

import redis

from config.quick_redis import Argument, QuickRedis, RedisAway, Script, patient_redis, quick_redis
from quotas.caps.budgets import Part
from quotas.counter_scripts import INFORM, REMIND, RENEW
from quotas.server_clock import ServerClock
from quotas.verdicts import Asked, Bucket, Calls, Lease, RateState, Verdict
from tenants.versions import version_key

# Long enough for the flush to fold the last calls of a month.
_KEPT_AFTER_THE_MONTH = timedelta(days=40)
# Past this part of the time-out an answer could come too late: the server leaves it alone.
_MEANT_FOR_RATIO = 0.8
_ALLOWED, _EXHAUSTED, _UNBEGUN, _LATE, _OUT_OF_DATE, _CROWDED = 0, -1, -2, -3, -4, -5
_UNSPENT, _CAPPED = -6, -7
# For so long Redis believes what PostgreSQL has said of a budget. Folds say it anew each second.
SPENT_SECONDS = 2
_MICROSECONDS = 1_000_000
_FOLDER = Path(__file__).parent
_DECIDE = Script((_FOLDER / "gate.lua").read_text())
_SETTLE = Script((_FOLDER / "settle.lua").read_text())


class CountersUnbegun(Exception):
    """Redis holds no API calls of this tenant and month, or does not know of its budget: ask the ledger."""


class Beginning(NamedTuple):
    """What the ledger says: a new epoch's name and its total, and what the budget paid for elsewhere."""

    epoch: str
    base: int
    elsewhere: int | None = None


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
        self.server.run(RENEW, [key], [seconds * _MICROSECONDS, *members])

    def inform(self, key: str, epoch: str, base: int, sums: Sequence[SpoolSum]) -> None:
        """Tell an epoch what else is used this month, and what spools have counted in it. Raises RedisAway."""
        told = [fact for each in sums for fact in each]
        self.server.run(INFORM, [key], [epoch, base, *told])

    def remind(self, key: str, elsewhere: int) -> None:
        """Tell what the budget has paid for beside these calls, as it is now. Raises RedisAway."""
        self.server.run(REMIND, [key], [elsewhere])

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
        *((beginning.epoch, beginning.base) if beginning else ("", 0)),
        int(expires.timestamp()),
    ]
    if lease is None:
        arguments += ["", 0, -1]
    else:
        most = -1 if lease.most is None else lease.most
        arguments += [member_of(lease, calls), lease.seconds * _MICROSECONDS, most]
    weighed, elsewhere = calls.weighed, beginning.elsewhere if beginning else None
    arguments += [
        _as_json(weighed, cap=calls.budget.cap) if weighed and calls.budget else "",
        "" if elsewhere is None else elsewhere,
        SPENT_SECONDS * _MICROSECONDS,
    ]
    for each in asked.buckets:
        arguments += [each.interval, each.rate.limit, each.charge]
    return arguments


def _as_json(part: Part, *, cap: int | None) -> str:
    told = {"cap": cap, "included": part.included, **part.weight.as_json}
    return json.dumps(told)


def _read(answer: list[Any], buckets: Sequence[Bucket]) -> Verdict:
    code = answer[0]
    if code == _OUT_OF_DATE:
        return Verdict(is_out_of_date=True)
    if code in (_UNBEGUN, _UNSPENT):
        raise CountersUnbegun
    _code, _now, retry, used, epoch, running, spent, *states = answer
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
        is_capped=code == _CAPPED,
        calls_used=used,
        running=running,
        epoch=epoch.decode(),
        spent=spent,
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
