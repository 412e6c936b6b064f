"""A campaign to many recipients: letters a second, and the memory of the process that sends, to a sink beside it.

Sink, database and sender share the machine. The peer of the same run hands the same letter over by Django's own mail
backend, written once and over one connection: no rows, no journal, nothing that a kill would not lose or double.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tests.bench.servers import Variant, fresh_database
from tests.stack import REPOSITORY

PROMISED_A_SECOND, PROMISED_MIB = 500, 512


def main(argv: list[str]) -> int:
    """Print the table; 1 where a letter is missing or double, or a promise is broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench mailing", description=__doc__)
    parser.add_argument("--recipients", type=int, default=20_000)
    asked = parser.parse_args(argv)
    variant = Variant(
        "mailing",
        "tests.bench.plaza_settings",
        "config.wsgi:application",
        fresh_database("bench_mailing"),
        has_wall=True,
    )
    environment = variant.environment()
    print(f"preparing {asked.recipients:,} contacts", flush=True)
    _run(environment, "seed", str(asked.recipients))
    with _sink() as sink:
        environment |= {"EMAIL_URL": sink.url}
        peer = _run(environment, "peer", str(min(asked.recipients, 20_000)))
        found = _run(environment, "send")
    wrong = sink.wrong(asked.recipients)
    print(f"{'what':<34}{'letters/s':>10}{'ratio':>8}{'MiB':>6}")
    print(f"{'Django alone, the same letter':<34}{peer['rate']:>10,.0f}{1:>8.2f}{peer['mib']:>6}")
    ratio = found["rate"] / peer["rate"]
    print(f"{'a campaign':<34}{found['rate']:>10,.0f}{ratio:>8.2f}{found['mib']:>6}")
    print(f"{found['choosing']:.1f} s of it to choose; {wrong} letters missing or double")
    kept = found["rate"] >= PROMISED_A_SECOND and found["mib"] < PROMISED_MIB
    return int(bool(wrong) or not kept)


class _Counted:
    """The sink's process: where it listens, and in the end how often each address was written to."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout is not None
        self._said = process.stdout
        self.url = self._said.readline().strip()
        self._letters: dict[str, int] = {}

    def end(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._letters = json.loads(self._said.readline())
        self._process.wait(timeout=10)

    def wrong(self, recipients: int) -> int:
        ours = {to: n for to, n in self._letters.items() if to.endswith("@bench.example")}
        return abs(recipients - len(ours)) + sum(n - 1 for n in ours.values())


@contextmanager
def _sink() -> Iterator[_Counted]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.drills.sink"],
        cwd=REPOSITORY, env=os.environ, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        counted = _Counted(process)
        try:
            yield counted
        finally:
            counted.end()


def _run(environment: Mapping[str, str], word: str, *more: str) -> dict[str, float]:
    command = [sys.executable, "-W", "ignore", "-m", "tests.bench.mailing_ground", word, *more]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{word} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))
