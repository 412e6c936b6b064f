"""The drill `redis`: Redis killed, stopped for a while, and emptied, under load; requests go on, and no call is lost."""

import asyncio

from tests.drills.estate import Estate
from tests.drills.outages import Load, judged
from tests.drills.outcome import Outcome

_AWAY_SECONDS = 4.0
# The supervisor gives up a server that dies again and again so soon after its start.
_BETWEEN_KILLS_SECONDS = 16.0


def run(estate: Estate, n: int) -> Outcome:
    """`n` times each: killed, stopped, emptied."""
    outcome = Outcome("redis")

    async def trouble(load: Load) -> None:
        for turn in range(n):
            load.away = "redis"
            estate.kill(estate.plaza.process_id("valkey"))
            await asyncio.sleep(_AWAY_SECONDS)
            load.away = ""
            await asyncio.sleep(2)
            load.away = "redis"
            with estate.stopped(estate.plaza.process_id("valkey")):
                await asyncio.sleep(_AWAY_SECONDS)
            await asyncio.sleep(2)
            load.away = ""
            await asyncio.sleep(1)
            await asyncio.to_thread(estate.flush_redis)
            await asyncio.sleep(2)
            if turn + 1 < n:
                await asyncio.sleep(_BETWEEN_KILLS_SECONDS)

    load = judged(estate, outcome, trouble, name="redis")
    if not any("with redis away" in each for each in load.seen):
        outcome.vain.append("nothing was asked while Redis was away")
    return outcome
