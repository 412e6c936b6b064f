"""The drill `postgres`: the database server killed under load; 503 meanwhile, and nothing accepted is lost or doubled."""

import asyncio

from tests.drills.estate import Estate
from tests.drills.outages import Load, judged
from tests.drills.outcome import Outcome

# The supervisor gives up a server that dies again and again so soon after its start.
_BETWEEN_KILLS_SECONDS = 18.0


def run(estate: Estate, n: int) -> Outcome:
    """`n` kills."""
    outcome = Outcome("postgres")

    async def kill(load: Load) -> None:
        for turn in range(n):
            load.away = "postgres"
            before = estate.plaza.process_id("postgres")
            estate.kill(before)
            while not estate.is_restarted("postgres", before):
                await asyncio.sleep(0.1)
            await asyncio.to_thread(estate.await_ready)
            await asyncio.sleep(1)
            load.away = ""
            await asyncio.sleep(3)
            if turn + 1 < n:
                await asyncio.sleep(_BETWEEN_KILLS_SECONDS)

    load = judged(estate, outcome, kill, name="postgres")
    if not any("503 with postgres away" in each for each in load.seen):
        outcome.vain.append("nothing was refused while PostgreSQL was away")
    return outcome
