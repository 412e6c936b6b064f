"""The gate under load: how long a request waits for its decision, and what tenancy, gate and usage cost.

`turn` is the wait for a place at work (quotas/waiting_room.py), which is the load's and no part of the decision.

Two servers answer the same view of the same tenant from one database: Plaza with a clock around the
gate, and Plaza's view without tenancy, credentials, gate and wall. Loaded in turn, medians.
"""

import argparse
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench import load
from tests.bench.operations import messages
from tests.bench.processor import Servers
from tests.bench.servers import Server, serving
from tests.bench.variants import arguments, made

_OPERATIONS = ("get", "list")
_GOAL_P99_MS, _GOAL_CPU_US = 2.0, 350.0


def main(argv: list[str]) -> int:
    """Print the table; 1 when an answer was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench gate", description=__doc__)
    arguments(parser)
    parser.add_argument("--threads", type=int, default=8, help="of the server")
    parser.add_argument("--places", type=int, default=0, help="PLAZA_WEB_PLACES; 0 is the default")
    asked = parser.parse_args(argv)
    asked.tenants = 1
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="plaza-bench-")))
        plaza, traffic = made("plaza", asked)
        variants = {
            "gated": replace(plaza, settings="tests.bench.timed_settings", threads=asked.threads),
            "bare": replace(
                plaza, settings="tests.bench.bare_settings", has_wall=False, threads=asked.threads
            ),
        }
        places = {"PLAZA_WEB_PLACES": str(asked.places)} if asked.places else {}
        servers = {
            name: stack.enter_context(serving(variant, folder / f"{name}.log", **places))
            for name, variant in variants.items()
        }
        runs = _measured(servers, traffic, asked)
    return _told(runs, asked)


def _measured(
    servers: dict[str, Server], traffic: Any, asked: argparse.Namespace
) -> dict[tuple[str, str], list[tuple[load.Sample, float]]]:
    """For each operation and server the samples, with processor time in us a request."""
    stores = Servers()
    runs: dict[tuple[str, str], list[tuple[load.Sample, float]]] = {}
    for number in range(asked.rounds + 1):
        for operation in _OPERATIONS:
            for name, server in servers.items():
                clocks = (server.cpu_seconds, stores.postgres_seconds, stores.redis_seconds)
                requests, expected = messages(operation, traffic)
                before = sum(clock() for clock in clocks)
                sample = load.run(
                    load.Target(server.port, requests, expected),
                    seconds=asked.seconds,
                    connections=asked.connections,
                )
                used = sum(clock() for clock in clocks) - before
                if number:  # the first round warms up
                    runs.setdefault((operation, name), []).append(
                        (sample, used / sample.count * 1e6)
                    )
    return runs


def _told(
    runs: dict[tuple[str, str], list[tuple[load.Sample, float]]], asked: argparse.Namespace
) -> int:
    print(f"\n{asked.connections} connections, {asked.rounds} rounds of {asked.seconds} s")
    print(
        f"{'operation':<11}{'req/s':>7}{'bare req/s':>12}{'gate p50 ms':>13}{'p99 ms':>8}"
        f"{'turn p99 ms':>13}{'cpu us':>8}"
        f"{'bare cpu us':>13}{'difference':>12}"
    )
    for operation in _OPERATIONS:
        gated, bare = runs[operation, "gated"], runs[operation, "bare"]
        waits, turns = (
            [each[of] / 1000 for sample, _ in gated for each in sample.decided_us] for of in (0, 1)
        )
        cpu, bare_cpu = (median(each for _, each in side) for side in (gated, bare))
        rate, bare_rate = (median(sample.rate for sample, _ in side) for side in (gated, bare))
        print(
            f"{operation:<11}{rate:>7.0f}{bare_rate:>12.0f}{load.rank(waits, 0.5):>13.2f}"
            f"{load.rank(waits, 0.99):>8.2f}{load.rank(turns, 0.99):>13.2f}{cpu:>8.0f}{bare_cpu:>13.0f}{cpu - bare_cpu:>12.0f}"
        )
    print(
        f"goals: p99 below {_GOAL_P99_MS:.0f} ms; a difference of at most {_GOAL_CPU_US:.0f} us of processor"
    )
    return 1 if any(sample.wrong for side in runs.values() for sample, _ in side) else 0
