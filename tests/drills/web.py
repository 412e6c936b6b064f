"""The drill `web`: web processes killed one after the other under load; nothing accepted is lost or doubled."""

import asyncio

from tests.drills.estate import Estate
from tests.drills.outages import Load, judged
from tests.drills.outcome import Outcome

# granian takes a process that dies again sooner for one that cannot live.
_BETWEEN_KILLS_SECONDS = 7.0


def run(estate: Estate, n: int) -> Outcome:
    """`n` kills."""
    outcome, dice = Outcome("web"), estate.chance("web")

    async def kill(load: Load) -> None:
        for _ in range(n):
            estate.kill(dice.choice(estate.web_processes()))
            await asyncio.sleep(_BETWEEN_KILLS_SECONDS)

    load = judged(estate, outcome, kill, name="web")
    if not load.broken:
        outcome.vain.append("no request was at work when a process was killed")
    files = list((estate.plaza.home / "spool").glob("*.calls"))
    living = len(estate.web_processes())
    if len(files) > living:
        outcome.lose(
            f"{len(files)} spools of {living} processes: those of the dead were not adopted"
        )
    return outcome
