"""The drill `policy`: a change holds for the very next request, on every process, whatever happens to Redis or the writer.

Each change is made by this process. Right after it 50 requests come over fresh connections, so that each
of the four web processes is asked; before it as many have warmed all of them with the state of before.
Not one answer may be by the old state. The change is also made while Redis is stopped, while it is dead and
then back with what its file says, and by a writer that is killed between the mark and the commit (then
nothing has changed) and between the commit and the publishing (then it has).
"""

import asyncio
import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tenants import versions
from tests.drills.estate import Estate
from tests.drills.ground import hang_up
from tests.drills.outcome import Outcome
from tests.drills.policy_changes import (
    Change,
    changes,
    changes_of_credentials,
    released,
    suspension,
)
from tests.drills.wire import Answer, Broken, NotSent, Wire, Wish

REQUESTS = 50
_STOPPED_SECONDS = 1.5


def run(estate: Estate, n: int) -> Outcome:
    """`n` rounds of every change in every way."""
    drill = Policy(estate, Outcome("policy"))
    for _ in range(n):
        for name, way in WAYS.items():
            with _timed(drill, name):
                for change in changes(estate, drill.account):
                    way(drill, change)
        with _timed(drill, "Redis dead"):
            _while_dead(drill)
    drill.every_process_was_asked()
    return drill.outcome


class Policy:
    """Asks 50 times and compares."""

    def __init__(self, estate: Estate, outcome: Outcome) -> None:
        self.estate = estate
        self.outcome = outcome
        self.account = estate.account("policy")
        self.other = estate.account("policy-two")

    def warm(self, change: Change) -> None:
        """Every process knows the state of before."""
        for _ in range(2):
            self.expect(change, change.old, when="before")

    def expect(self, change: Change, expected: str, *, when: str) -> None:
        """50 answers, each as `expected`."""
        for wish, statuses in change.asked(expected):
            answers = asyncio.run(_all(self.estate.port, wish))
            self.outcome.n += len(answers)
            found = Counter(_spoken(each) for each in answers)
            wrong = {each: n for each, n in found.items() if each not in statuses}
            if wrong:
                told = f"{change.name} {when}: {wrong} instead of {sorted(statuses)}"
                self.outcome.leak(told, sum(wrong.values()))

    def every_process_was_asked(self) -> None:
        """By the processor time that they took."""
        ticks = [_cpu_ticks(pid) for pid in self.estate.web_processes()]
        if min(ticks) < max(ticks) / 20:
            self.outcome.vain.append(f"a web process was hardly asked: {ticks} ticks")


def _cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    return sum(map(int, fields.rpartition(")")[2].split()[11:13]))


def _spoken(answer: Answer | None) -> str:
    return "no answer" if answer is None else f"{answer.status} {answer.code}".strip()


async def _all(port: int, wish: Wish) -> list[Answer | None]:
    async def one() -> Answer | None:
        wire = Wire(port)
        try:
            return await wire.ask(wish, is_fresh=True)
        except (Broken, NotSent):
            return None
        finally:
            wire.close()

    return list(await asyncio.gather(*(one() for _ in range(REQUESTS))))


@contextlib.contextmanager
def _timed(drill: Policy, name: str) -> Iterator[None]:
    began, before, leaks = time.monotonic(), drill.outcome.n, drill.outcome.leaks
    yield
    drill.outcome.remarks.append(
        f"{name}: {drill.outcome.n - before} requests, {drill.outcome.leaks - leaks} by the old state,"
        f" in {time.monotonic() - began:.1f} s"
    )


# --- the ways in which a change is made ---------------------------------------------------------------


def _plainly(drill: Policy, change: Change) -> None:
    drill.warm(change)
    with drill.outcome.timed():
        change.make()
    drill.expect(change, change.new, when="made plainly")


def _while_stopped(drill: Policy, change: Change) -> None:
    drill.warm(change)
    redis = drill.estate.plaza.process_id("valkey")
    with drill.estate.stopped(redis):
        change.make()
        time.sleep(_STOPPED_SECONDS)
    # At once: what the processes knew before Redis stopped is not true any more.
    drill.expect(change, change.new, when="made while Redis was stopped")


def _while_dead(drill: Policy) -> None:
    """All in one outage, since the supervisor gives up a server that dies again and again."""
    made = [*changes_of_credentials(drill.estate, drill.account), suspension(drill.other)]
    for change in made:
        drill.warm(change)
    with drill.estate.without_redis():
        for change in made:
            change.make()
            drill.expect(change, change.new, when="made while Redis was dead")
    # It is back, perhaps just now, with what its file says: the state of before.
    for _ in range(3):
        for change in made:
            drill.expect(change, change.new, when="made while Redis was dead, which is back")
    drill.estate.await_ready()
    for change in made:
        drill.expect(change, change.new, when="made while Redis was dead, which is ready")
    released(drill.other)


def _killed_before_commit(drill: Policy, change: Change) -> None:
    drill.warm(change)
    _killed(change.make, "_mark", is_done=True)
    drill.expect(change, change.old, when="made by a writer killed before its commit")


def _killed_before_publishing(drill: Policy, change: Change) -> None:
    drill.warm(change)
    _killed(change.make, "_publish", is_done=False)
    drill.expect(change, change.new, when="made by a writer killed before it published")


WAYS = {
    "plainly": _plainly,
    "Redis stopped": _while_stopped,
    "killed before the commit": _killed_before_commit,
    "killed before publishing": _killed_before_publishing,
}


def _killed(make: Callable[[], None], function: str, *, is_done: bool) -> None:
    """Another process makes the change, and is killed at this step of tenants/versions.py: after it where `is_done`."""
    hang_up()  # a connection is one process's
    child = os.fork()
    if child == 0:
        try:
            step = getattr(versions, function)

            def last(*args: Any) -> None:
                if is_done:
                    step(*args)
                os.kill(os.getpid(), signal.SIGKILL)

            setattr(versions, function, last)
            make()
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    if not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL):
        raise AssertionError("the writer was not killed where it should be")
