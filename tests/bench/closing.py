"""Closing a billing period: so many tenants, with so many rows of the ledger, by two processes at once.

Each does what the task does: the period's use is rated against the ledger's totals, invoiced under a number
without a gap, entered in the journal, and the next period begins. Afterwards the units on the invoices are
compared with the rows of the ledger, to the unit, and the books must add up. The peer of the same run is the
sum of the ledger's rows itself: what closing would have to do where no totals were kept.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping

import psycopg

from tests.bench.servers import Variant, fresh_database
from tests.stack import REPOSITORY

PROMISED_SECONDS = 60.0
_SUM = "SELECT count(*) FROM (SELECT tenant_id, meter, sum(quantity) FROM quotas_usageevent GROUP BY 1, 2) AS sums"


def main(argv: list[str]) -> int:
    """Print the table; 1 when a unit was not billed, the books are wrong or the promise is broken."""
    asked = _arguments(argv)
    variant = Variant(
        "closing",
        "tests.bench.plaza_settings",
        "config.wsgi:application",
        fresh_database("bench_closing"),
        has_wall=True,
    )
    environment = variant.environment()
    print(f"preparing {asked.tenants:,} tenants, {asked.rows:,} rows", flush=True)
    _run(environment, "seed", str(asked.tenants), str(asked.rows))
    summed = _sum(environment["DATABASE_OWNER_URL"])
    before = _processor_seconds()
    took, closed = _close(environment, asked.workers)
    processor = _processor_seconds() - before
    found = json.loads(_run(environment, "check"))
    print(f"{'what':<34}{'seconds':>9}{'ratio':>8}")
    print(f"{'summing the rows of the ledger':<34}{summed:>9.1f}{1:>8.2f}")
    print(f"{f'closing {closed:,} periods':<34}{took:>9.1f}{took / summed:>8.2f}")
    wanted = {"open": 0, "invoices": asked.tenants, "unbilled": 0, "faults": []}
    told = {name: found[name] for name in wanted}
    print(f"{found['events']:,} rows; {1_000 * took / closed:.1f} ms for each period; {told}")
    load = os.getloadavg()[0]
    print(f"processor of the closing processes: {processor:.1f} s; load of the machine: {load:.1f}")
    return int(told != wanted or took >= PROMISED_SECONDS)


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench closing", description=__doc__)
    parser.add_argument("--tenants", type=int, default=1_000)
    parser.add_argument("--rows", type=int, default=10_000_000, help="of the ledger, all together")
    parser.add_argument("--workers", type=int, default=2, help="processes that close")
    return parser.parse_args(argv)


def _command(word: str, *more: str) -> list[str]:
    return [sys.executable, "-W", "ignore", "-m", "tests.bench.closing_ground", word, *more]


def _run(environment: Mapping[str, str], word: str, *more: str) -> str:
    done = subprocess.run(
        _command(word, *more), cwd=REPOSITORY, env=environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{word} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done.stdout


def _sum(address: str) -> float:
    with psycopg.connect(address) as owner:
        begun = time.perf_counter()
        owner.execute(_SUM)
        return time.perf_counter() - begun


def _processor_seconds() -> float:
    """Of all processes that ended below this one; their start is in it."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _close(environment: Mapping[str, str], workers: int) -> tuple[float, int]:
    """Seconds from the word to the last one's end, and how many periods they closed."""
    running = [
        subprocess.Popen(
            _command("close"), cwd=REPOSITORY, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for _ in range(workers)
    ]  # fmt: skip
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    begun = time.perf_counter()
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    closed = sum(int(process.communicate()[0]) for process in running)
    return time.perf_counter() - begun, closed
