"""The drill `grants`: 200 clients on a quota of 1,000 while a web process is killed; exactly 1,000 are admitted.

Contacts: who got no answer asks again under the same Idempotency-Key, so that answers, rows and the
ledger agree to the unit. API calls: who got no answer may have been counted or not, so that answers and
those in doubt make 1,000; the ledger and Redis say exactly 1,000.
"""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.drills.estate import Account, Estate
from tests.drills.outcome import Outcome
from tests.drills.wire import Answer, Broken, NotSent, Wire, Wish

CLIENTS = 200
QUOTA = 1_000
# How long a killed process's place is held, by the drill's grant; by default it is 60 s.
LEASE_SECONDS = 6
# granian takes a process that dies again this soon for one that cannot live.
_BETWEEN_KILLS_SECONDS = 7.0
_PATIENCE_SECONDS = 240.0


def run(estate: Estate, n: int) -> Outcome:
    """`n` runs of each kind."""
    outcome, dice = Outcome("grants"), estate.chance("grants")
    calls, contacts = estate.account("calls"), estate.account("contacts")
    for number in range(n):
        moment = dice.randint(QUOTA // 10, QUOTA * 8 // 10)
        _calls(estate, outcome, calls, moment, number)
        moment = dice.randint(QUOTA // 10, QUOTA * 8 // 10)
        _contacts(estate, outcome, contacts, moment, number)
        outcome.n += 1
    return outcome


@dataclass(slots=True)
class Rush:
    """What the clients of one run have seen."""

    estate: Estate
    outcome: Outcome
    kill_after: int
    answered: int = 0
    broken: int = 0
    killed_at: float | None = None
    seen: Counter[str] = field(default_factory=Counter)
    began: float = field(default_factory=time.monotonic)

    async def ask(self, wire: Wire, wish: Wish) -> Answer | None:
        """The answer; None where there was none."""
        before = time.perf_counter()
        try:
            answer = await wire.ask(wish)
        except NotSent:
            await asyncio.sleep(0.1)
            return None
        except Broken:
            self.broken += 1
            return None
        self.outcome.times.append((time.perf_counter() - before) * 1000)
        self.seen[f"{answer.status} {answer.code}".strip()] += 1
        if 200 <= answer.status < 300:
            self.answered += 1
            if self.answered >= self.kill_after and self.killed_at is None:
                self.killed_at = time.monotonic()
                self.estate.kill(self.estate.web_processes()[0])
        elif answer.status == 503:
            await asyncio.sleep(0.2)
        elif answer.status not in {402, 409}:
            self.outcome.lose(f"an answer {answer.status} {answer.body[:200]!r}")
        return answer

    def is_over(self) -> bool:
        return time.monotonic() - self.began > _PATIENCE_SECONDS

    async def rush(self, client: Callable[[Wire], Awaitable[None]]) -> None:
        """All clients at once, each until the quota refuses it; then what leases held is used up."""
        async with _wires(self.estate.port) as wires:
            await asyncio.gather(*(client(wire) for wire in wires))
            if self.killed_at is None:
                self.outcome.vain.append("nothing was killed")
                return
            # A place that nobody can give back any more is free now; two turns of the flusher later
            # what the killed process had counted is folded.
            await asyncio.sleep(self.killed_at + LEASE_SECONDS + 3 - time.monotonic())
            await asyncio.gather(*(client(wire) for wire in wires[:8]))
            await asyncio.sleep(self.killed_at + _BETWEEN_KILLS_SECONDS - time.monotonic())

    def told(self, kind: str, number: int) -> str:
        seconds = time.monotonic() - self.began
        return (
            f"{kind} {number}: killed after {self.kill_after} answers; {self.answered} answered,"
            f" {self.broken} without an answer; {dict(self.seen)} in {seconds:.1f} s"
        )


@asynccontextmanager
async def _wires(port: int) -> AsyncIterator[list[Wire]]:
    wires = [Wire(port) for _ in range(CLIENTS)]
    yield wires
    for wire in wires:
        wire.close()


def _calls(estate: Estate, outcome: Outcome, account: Account, moment: int, number: int) -> None:
    before = estate.settled_calls(account.tenant.pk)
    estate.allow(
        account.tenant.pk,
        {"concurrency": (10 * CLIENTS, LEASE_SECONDS)},
        api_calls=before + QUOTA,
    )
    rush = Rush(estate, outcome, moment)
    wish = Wish("GET", "/api/v1/contacts?limit=1", account.host, account.headers)

    async def client(wire: Wire) -> None:
        while not rush.is_over():
            answer = await rush.ask(wire, wish)
            if answer is not None and answer.status == 402:
                return

    asyncio.run(rush.rush(client))
    told = rush.told("calls", number)
    outcome.remarks.append(told)
    counted = estate.settled_calls(account.tenant.pk) - before
    redis = estate.counted_by_redis(account.tenant.pk)
    if counted > QUOTA:
        outcome.double(f"{told}; the ledger has {counted}", counted - QUOTA)
    if counted < QUOTA:
        outcome.lose(f"{told}; the ledger has {counted}, Redis {redis}", QUOTA - counted)
    if not QUOTA - rush.broken <= rush.answered <= QUOTA:
        outcome.lose(f"{told}: not {QUOTA} with those in doubt")
    if sum(redis.values()) != before + QUOTA or redis.get("reserved"):
        outcome.lose(f"{told}; Redis says {redis}, not {before + QUOTA}")


def _contacts(estate: Estate, outcome: Outcome, account: Account, moment: int, number: int) -> None:
    before = estate.ledger(account.tenant.pk, "contacts")
    estate.allow(account.tenant.pk, contacts=before + QUOTA)
    rush, ids, keys = Rush(estate, outcome, moment), Counter[bytes](), itertools.count()

    async def client(wire: Wire) -> None:
        while not rush.is_over():
            key = f"{number}-{next(keys)}"
            wish = Wish(
                "POST", "/api/v1/contacts", account.host,
                {**account.headers, "Idempotency-Key": key}, {"email": f"c{key}@rush.example"},
            )  # fmt: skip
            answer = await _answered(rush, wire, wish)
            if answer is None or answer.status == 402:
                return
            ids[answer.body] += 1

    asyncio.run(rush.rush(client))
    told = rush.told("contacts", number)
    outcome.remarks.append(told)
    ledger = estate.ledger(account.tenant.pk, "contacts") - before
    rows = estate.contacts(account) - before
    if not len(ids) == ledger == rows == QUOTA:
        outcome.lose(f"{told}: {len(ids)} answers, {rows} rows, {ledger} in the ledger")
    if ids and max(ids.values()) > 1:
        outcome.double(f"{told}: the same contact was answered twice")


async def _answered(rush: Rush, wire: Wire, wish: Wish) -> Answer | None:
    """The same question until its answer is final: made, or refused by the quota."""
    while not rush.is_over():
        answer = await rush.ask(wire, wish)
        if answer is not None and answer.status in {201, 402}:
            return answer
        if answer is not None and answer.status == 409:
            await asyncio.sleep(0.1)
    return None
