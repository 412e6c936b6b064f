"""The drill `noisy`: one tenant floods and keeps its places taken, another hardly notices; too much work sheds bulk first."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field

from tests.drills.estate import Account, Estate
from tests.drills.outcome import Outcome
from tests.drills.wire import Answer, Broken, NotSent, Wire, Wish

# The quiet tenant's 99th percentile while the flood keeps the machine busy: within a second, and where
# others share the machine within this many times what it is without the flood.
P99_MS = 1_000.0
P99_RATIO = 20
# How much may run at once of the noisy tenant.
PLACES = 4
_FLOOD, _QUIET = 64, 4
_ITEMS = 50
_BULK, _CRITICAL = 120, 3


def run(estate: Estate, n: int) -> Outcome:
    """`n` seconds of a flood, and as many of too much work."""
    outcome = Outcome("noisy")
    noisy, quiet = estate.account("noisy"), estate.account("quiet")
    estate.allow(noisy.tenant.pk, {"concurrency": (PLACES, 30)})
    asyncio.run(_neighbours(estate, outcome, noisy, quiet, n))
    estate.allow(noisy.tenant.pk)
    asyncio.run(_shedding(estate, outcome, noisy, quiet, n))
    return outcome


@dataclass(slots=True)
class Crowd:
    """Clients that ask until the time is up."""

    port: int
    until: float
    seen: Counter[str] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)

    async def client(self, *wishes: Wish, pause_seconds: float = 0.0) -> None:
        wire = Wire(self.port)
        turn = 0
        while time.monotonic() < self.until:
            before = time.perf_counter()
            try:
                answer = await wire.ask(wishes[turn % len(wishes)])
            except (Broken, NotSent):
                self.seen["no answer"] += 1
                await asyncio.sleep(0.1)
                continue
            turn += 1
            self.times.append((time.perf_counter() - before) * 1000)
            self._note(answer)
            await asyncio.sleep(pause_seconds)
        wire.close()

    def _note(self, answer: Answer) -> None:
        self.seen[f"{answer.status} {answer.code}".strip()] += 1
        if answer.status in {429, 503} and "retry-after" not in answer.headers:
            self.lacking.append(f"{answer.status} {answer.code}")

    def percentile(self, ratio: float) -> float:
        ordered = sorted(self.times) or [0.0]
        return ordered[min(len(ordered) - 1, int(len(ordered) * ratio))]

    def told(self, name: str) -> str:
        p50, p99 = self.percentile(0.5), self.percentile(0.99)
        return f"{name}: {dict(self.seen)}, p50 {p50:.0f} ms, p99 {p99:.0f} ms"


def _reading(account: Account) -> Wish:
    return Wish("GET", "/api/v1/contacts?limit=2", account.host, account.headers)


async def _quiet(crowd: Crowd, account: Account) -> None:
    await crowd.client(_reading(account), pause_seconds=0.02)


async def _neighbours(
    estate: Estate, outcome: Outcome, noisy: Account, quiet: Account, seconds: int
) -> None:
    for _ in range(2):  # the first time warms every process
        alone = Crowd(estate.port, time.monotonic() + seconds / 2)
        await asyncio.gather(*(_quiet(alone, quiet) for _ in range(_QUIET)))
    bound = max(P99_MS, P99_RATIO * alone.percentile(0.99))
    until = time.monotonic() + seconds
    flood, calm = Crowd(estate.port, until), Crowd(estate.port, until)
    clients = [flood.client(_reading(noisy)) for _ in range(_FLOOD)]
    clients += [_quiet(calm, quiet) for _ in range(_QUIET)]
    await asyncio.gather(*clients)
    outcome.n += len(calm.times)
    outcome.times += calm.times
    outcome.remarks += [
        alone.told("quiet alone"),
        flood.told("flooding"),
        f"{calm.told('quiet beside it')}, of {bound:.0f} ms",
    ]
    if set(calm.seen) != {"200"}:
        outcome.lose(f"the quiet tenant was refused: {dict(calm.seen)}")
    if calm.percentile(0.99) > bound:
        outcome.lose(f"the quiet tenant's p99 is {calm.percentile(0.99):.0f} ms, above {bound:.0f}")
    if not flood.seen["429 too_many_at_once"]:
        outcome.vain.append("the noisy tenant never met its limit")
    if flood.lacking:
        outcome.lose(f"refused without Retry-After: {set(flood.lacking)}")


async def _shedding(
    estate: Estate, outcome: Outcome, noisy: Account, quiet: Account, seconds: int
) -> None:
    """More bulk work than the machine does: it is refused first, and what is urgent goes on."""
    until = time.monotonic() + seconds
    bulk, usual, urgent = (Crowd(estate.port, until) for _ in range(3))
    items = [{"email": f"b{number}@bulk.example"} for number in range(_ITEMS)]
    batch = Wish(
        "POST", "/api/v1/contacts/batch?key=email", noisy.host, noisy.headers, {"items": items}
    )
    urgencies = [
        Wish("GET", "/api/v1/usage", quiet.host, quiet.headers),
        Wish("GET", "/api/v1/subscription", quiet.host, quiet.headers),
        Wish("POST", "/api/v1/auth/token", quiet.host, {}, quiet.sign_in),
    ]
    clients = [bulk.client(batch, pause_seconds=0.05) for _ in range(_BULK)]
    clients += [usual.client(_reading(quiet), pause_seconds=0.05) for _ in range(_QUIET)]
    clients += [urgent.client(each, pause_seconds=0.5) for each in urgencies]
    await asyncio.gather(*clients)
    outcome.n += len(urgent.times)
    outcome.remarks += [each.told(name) for name, each in
                        (("bulk", bulk), ("usual", usual), ("urgent", urgent))]  # fmt: skip
    refused = {each for each in urgent.seen if each not in {"200", "429 rate_limited"}}
    if refused:
        outcome.lose(f"urgent requests were refused: {refused}")
    if not bulk.seen["503 overloaded"]:
        outcome.vain.append("no bulk work was refused")
    if set(bulk.seen) - {"207", "200", "503 overloaded"}:
        outcome.lose(f"bulk work was answered {dict(bulk.seen)}")
    if bulk.lacking:
        outcome.lose(f"refused without Retry-After: {set(bulk.lacking)}")
    if usual.seen["503 overloaded"] > len(usual.times) / 20:
        outcome.lose(f"ordinary work was refused with bulk at hand: {dict(usual.seen)}")
