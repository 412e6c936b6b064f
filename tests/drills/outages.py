"""What the drills `web`, `worker`, `redis` and `postgres` share: a steady load, and a judgement to the unit.

Clients create contacts (each asked again under its key until it is answered), read them, look at their
usage, refresh nothing and sign in now and then, while something is killed. Afterwards the ledger, the
rows and the answers must agree: contacts to the unit, API calls to the unit with those in doubt that lost
their connection with a killed web process.
"""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.drills.estate import Account, Estate
from tests.drills.outcome import Outcome
from tests.drills.wire import Answer, Broken, NotSent, Wire, Wish

_WRITERS, _READERS = 6, 6
_PATIENCE_SECONDS = 60.0
# Refused by the gate: they count nothing. 402 is no answer here, for nothing is limited.
_UNCOUNTED = {402, 403, 429}
Breaking = Callable[["Load"], Awaitable[None]]


@dataclass(slots=True)
class Load:
    """Steady clients of one tenant, and what they have seen."""

    estate: Estate
    outcome: Outcome
    account: Account
    is_ending: bool = False
    created: Counter[bytes] = field(default_factory=Counter)
    unanswered: int = 0
    counted: int = 0
    broken: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    # What is away at this moment: `redis`, `postgres`, `web`, or nothing.
    away: str = ""
    began: float = field(default_factory=time.monotonic)
    _keys: "itertools.count[int]" = field(default_factory=itertools.count)

    async def run(self, breaking: Breaking) -> None:
        """Load the stack while `breaking` does its work, and end in quiet."""
        clients = [self._writer() for _ in range(_WRITERS)] + [
            self._reader() for _ in range(_READERS)
        ]
        clients += [self._watcher(), self._visitor()]
        running = [asyncio.create_task(client) for client in clients]
        try:
            await asyncio.sleep(1)
            await breaking(self)
        finally:
            self.is_ending = True
            await asyncio.gather(*running)

    async def _writer(self) -> None:
        wire = Wire(self.estate.port)
        while not self.is_ending:
            key = str(next(self._keys))
            wish = Wish(
                "POST", "/api/v1/contacts", self.account.host,
                {**self.account.headers, "Idempotency-Key": key}, {"email": f"c{key}@load.example"},
            )  # fmt: skip
            answer = await self._until(wire, wish, 201)
            if answer is None:
                self.unanswered += 1
            else:
                self.created[answer.body] += 1
        wire.close()

    async def _until(self, wire: Wire, wish: Wish, status: int) -> Answer | None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            answer = await self._ask(wire, wish, "write")
            if answer is not None and answer.status == status:
                return answer
            await asyncio.sleep(0.1)
        return None

    async def _reader(self) -> None:
        wire = Wire(self.estate.port)
        wish = Wish("GET", "/api/v1/contacts?limit=2", self.account.host, self.account.headers)
        while not self.is_ending:
            answer = await self._ask(wire, wish, "read")
            await asyncio.sleep(0.01 if answer is not None and answer.status == 200 else 0.1)
        wire.close()

    async def _watcher(self) -> None:
        """Usage costs nothing and is critical."""
        wire = Wire(self.estate.port)
        wish = Wish("GET", "/api/v1/usage", self.account.host, self.account.headers)
        while not self.is_ending:
            await self._ask(wire, wish, "usage", is_metered=False)
            await asyncio.sleep(0.2)
        wire.close()

    async def _visitor(self) -> None:
        wire = Wire(self.estate.port)
        wish = Wish("POST", "/api/v1/auth/token", self.account.host, {}, self.account.sign_in)
        while not self.is_ending:
            await self._ask(wire, wish, "sign-in", is_metered=False)
            await asyncio.sleep(1.0)
        wire.close()

    async def _ask(
        self, wire: Wire, wish: Wish, kind: str, *, is_metered: bool = True
    ) -> Answer | None:
        before, away = time.perf_counter(), self.away
        try:
            answer = await wire.ask(wish)
        except NotSent:
            self.seen[f"{kind} not sent"] += 1
            return None
        except Broken:
            self.seen[f"{kind} broken"] += 1
            self.broken += is_metered
            return None
        self.outcome.n += 1
        self.outcome.times.append((time.perf_counter() - before) * 1000)
        self.seen[f"{kind} {answer.status}{f' with {away} away' if away else ''}"] += 1
        if is_metered and answer.status < 500 and answer.status not in _UNCOUNTED:
            self.counted += 1
        self._judge(kind, answer, away or self.away)
        return answer

    def _judge(self, kind: str, answer: Answer, away: str) -> None:
        """Availability as the table of safety says."""
        allowed = {"write": {201, 409}, "read": {200}, "usage": {200}, "sign-in": {200}}[kind]
        if kind == "sign-in":
            allowed = allowed | {429}
        refusal = answer.status == 503 and answer.code != ""
        is_fine = answer.status in allowed
        if away == "postgres":
            is_fine = is_fine or refusal
        if away == "redis" and kind == "sign-in":
            is_fine = is_fine or (refusal and "retry-after" in answer.headers)
        if not is_fine:
            told = f"{kind} answered {answer.status} {answer.code} with {away or 'nothing'} away"
            self.outcome.lose(f"{told}: {answer.body[:200]!r}")


def judged(estate: Estate, outcome: Outcome, breaking: Breaking, *, name: str) -> Load:
    """Load a tenant of its own while `breaking` works; then compare every store with the answers."""
    account = estate.account(name)
    load = Load(estate, outcome, account)
    asyncio.run(load.run(breaking))
    tenant_id = account.tenant.pk
    told = f"{len(load.created)} created, {load.counted} counted, {load.broken} in doubt"
    outcome.remarks.append(f"{name}: {told}; {dict(sorted(load.seen.items()))}")
    rows, ledger = estate.contacts(account), estate.ledger(tenant_id, "contacts")
    if load.unanswered:
        outcome.lose(f"{name}: {load.unanswered} contacts had no answer in time")
    if not len(load.created) == rows == ledger:
        outcome.lose(f"{name}: {told}, {rows} rows, {ledger} contacts in the ledger")
    if max(load.created.values(), default=1) > 1:
        outcome.double(f"{name}: one contact answered two keys")
    calls = estate.settled_calls(tenant_id)
    if calls < load.counted:
        outcome.lose(f"{name}: {told}, {calls} calls in the ledger", load.counted - calls)
    if calls > load.counted + load.broken:
        outcome.double(f"{name}: {told}, {calls} calls in the ledger", calls - load.counted)
    redis = estate.counted_by_redis(tenant_id)
    # What a killed process had let in is reserved until its lease ends.
    reserved = redis.pop("reserved", 0)
    if redis and (sum(redis.values()) != calls or reserved > load.broken):
        outcome.lose(f"{name}: the ledger has {calls} calls, Redis {redis} and {reserved} reserved")
    return load
