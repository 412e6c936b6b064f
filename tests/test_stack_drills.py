"""The short form of the drills that start a stack of their own, with servers that may be killed."""

import os
import subprocess
import sys
from functools import cache
from typing import Any

import pytest

from tests.stack import REPOSITORY

pytestmark = pytest.mark.timeout(900)
# Not where the servers are the distribution's.
# `worker` waits for a killed worker's import to be taken up, which a journey does too.
ON_THE_STACK = ["grants", "policy", "noisy", "web", "redis", "postgres"]


@cache
def told_on_the_stack() -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.drills", *ON_THE_STACK, "--short"],
        cwd=REPOSITORY, env=os.environ, capture_output=True, text=True, check=False, timeout=800,
    )  # fmt: skip


def embedded(test: Any) -> Any:
    """Register what kills servers of our own; elsewhere it is no test at all."""
    test.__test__ = not os.environ.get("PLAZA_SYSTEM_SERVERS")
    return test


@embedded
@pytest.mark.parametrize("name", ON_THE_STACK)
def test_a_drill_of_the_whole_stack_passes(name: str) -> None:
    run = told_on_the_stack()
    lines = [line for line in run.stdout.splitlines() if line.startswith(f"drill={name} ")]
    assert len(lines) == 1, run.stdout + run.stderr[-4000:]
    assert lines[0].endswith(" PASS"), run.stdout
