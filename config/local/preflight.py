"""A wrong value of the environment is told in one line, before a server crashes over it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from config.local.home import REPOSITORY
from config.local.leftovers import MARK
from config.local.plan import Plan
from config.local.processes import Child, Command, start
from config.local.supervisor import POLL_SECONDS, Supervisor
from config.local.trouble import Trouble


@contextmanager
def settings_checked(plan: Plan, supervisor: Supervisor) -> Iterator[None]:
    """Load the settings in a process beside the block. Raises Trouble after it when they refuse."""
    child = start(
        Command(
            name="preflight",
            argv=(sys.executable, "-m", "config.preflight"),
            log=plan.wish.home.log("preflight"),
            environment=plan.environment() | {MARK: supervisor.register.mark},
            folder=REPOSITORY,
        )
    )
    try:
        yield
        while not child.has_ended():
            supervisor.step()
            supervisor.stop.pause(POLL_SECONDS)
    finally:
        child.kill()
    _judge(child)


def _judge(child: Child) -> None:
    code = child.process.returncode
    if code == 0:
        return
    words = (child.last_words(1) or [""])[-1]
    if code == os.EX_CONFIG:
        raise Trouble(words)
    raise Trouble(
        f"The settings cannot be loaded ({child.ending()}): {words}",
        todo=f"The log is {child.command.log}",
    )
