"""The short form of every drill (tests/drills): in processes of their own, as the roles of production."""

import os
import re
import subprocess
import sys
from functools import cache

import pytest

from tests.stack import REPOSITORY

pytestmark = pytest.mark.timeout(900)
# By how a connection becomes the tenant's: what is drilled so.
DRILLS = {
    "role": [
        *("sqlwall", "interleave", "isolation", "provisioning", "offboard"),
        *("webhooks", "reconcile", "clock", "killmoney"),
    ],
    "tenant": ["sqlwall", "interleave"],
}
if os.environ.get("PLAZA_SYSTEM_SERVERS"):  # PgBouncer is a distribution's: `make test` needs none
    DRILLS["tenant"].append("pgbouncer")


@cache
def told(login: str) -> subprocess.CompletedProcess[str]:
    """All drills of one kind of sign-in, on one set of tenants."""
    return subprocess.run(
        [sys.executable, "-m", "tests.drills", *DRILLS[login], "--login", login, "--short"],
        cwd=REPOSITORY, env=os.environ, capture_output=True, text=True, check=False, timeout=800,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("login", "name"), [(login, name) for login, names in DRILLS.items() for name in names]
)
def test_a_drill_finds_no_leak_nothing_lost_and_nothing_twice(login: str, name: str) -> None:
    run = told(login)
    lines = [line for line in run.stdout.splitlines() if line.startswith(f"drill={name} ")]
    assert len(lines) == 1, run.stdout + run.stderr[-4000:]
    assert lines[0].endswith(" PASS"), run.stdout
    assert " leaks=0 lost=0 dup=0 " in lines[0]


def test_a_leak_ends_a_drill_with_a_failure() -> None:
    from tests.drills.outcome import Outcome

    found = Outcome("sqlwall", n=1)
    assert found.line() == "drill=sqlwall n=1 leaks=0 lost=0 dup=0 p95=0.0ms PASS"
    found.leak("a row of another tenant")
    assert found.report().splitlines() == [
        "leak: a row of another tenant",
        "drill=sqlwall n=1 leaks=1 lost=0 dup=0 p95=0.0ms FAIL",
    ]


def test_a_drill_that_could_not_fail_does_not_pass() -> None:
    from tests.drills.outcome import Outcome

    found = Outcome("pgbouncer", n=1)
    found.vain.append("a session SET gave no wrong row")
    assert not found.passed
    assert not Outcome("pgbouncer").passed


def test_help_names_every_drill() -> None:
    from tests.drills.__main__ import FULL, SHORT

    run = subprocess.run(
        [sys.executable, "-m", "tests.drills", "--help"],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert FULL.keys() == SHORT.keys()
    told = run.stdout.replace(",", " ")
    assert [name for name in FULL if not re.search(rf"\b{name}\b", told)] == []
