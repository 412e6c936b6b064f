"""Contacts (list, get, create) and ordinary nouns through Plaza and through named peers.

They are loaded in turn within each round, so that a noisy machine disturbs all of them alike. Medians
and ratios; what each asks of PostgreSQL and Redis is counted on the wire, apart from the timing.
"""

import argparse
import os
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench import load
from tests.bench.operations import HOT, ORDINARY, messages
from tests.bench.processor import Servers
from tests.bench.servers import Server, Variant, serving
from tests.bench.variants import KNOWN, MEANING, USUAL, arguments, made
from tests.bench.wire import counted

_COUNTED_REQUESTS = 200
_GOALS = {("hot", "plain"): 1.5, ("hot", "naive"): 4.0, ("ordinary", "plain"): 0.9}
Samples = dict[tuple[str, str], list[dict[str, float]]]


def main(argv: list[str]) -> int:
    """Print the tables; 1 when an answer was wrong."""
    asked = _arguments(argv)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="plaza-bench-")))
        variants: dict[str, Variant] = {}
        traffic: dict[str, Any] = {}
        for name in asked.variants:
            variants[name], traffic[name] = made(name, asked)
        asks = {name: _asks(variants[name], traffic[name], folder, asked) for name in variants}
        servers = {
            name: stack.enter_context(serving(variant, folder / f"{name}.log"))
            for name, variant in variants.items()
        }
        samples = _measured(servers, traffic, asked)
    _print_table(samples, asks, asked)
    return 1 if any(sample["wrong"] for runs in samples.values() for sample in runs) else 0


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench requests", description=__doc__)
    arguments(parser)
    parser.add_argument("--variants", nargs="+", choices=list(KNOWN), default=list(USUAL))
    parser.add_argument("--operations", nargs="+", default=[*HOT, *ORDINARY])
    return parser.parse_args(argv)


def _operations(name: str, asked: argparse.Namespace) -> Iterable[str]:
    """Ordinary nouns are compared with their plain twin alone."""
    return [each for each in asked.operations if each in HOT or name in {"plaza", "plain"}]


def _asks(
    variant: Variant, tenants: Any, folder: Path, asked: argparse.Namespace
) -> dict[str, tuple[float, ...]]:
    """For each operation, of one warm request: statements, round trips to PostgreSQL, and to Redis."""
    found = {}
    addresses = variant.environment()
    with ExitStack() as stack:
        changed = {}
        proxied = {}
        for kind in ("DATABASE_URL", "DATABASE_SQUARE_URL", "DATABASE_OWNER_URL", "REDIS_URL"):
            is_postgres = kind != "REDIS_URL"
            changed[kind], proxied[kind] = stack.enter_context(
                counted(addresses[kind], is_postgres=is_postgres)
            )
        server = stack.enter_context(serving(variant, folder / "counted.log", **changed))
        postgres = [counts for kind, counts in proxied.items() if kind != "REDIS_URL"]
        for operation in _operations(variant.name, asked):
            requests, expected = messages(operation, tenants, _COUNTED_REQUESTS)
            target = load.Target(server.port, requests, expected)
            load.run(target, seconds=30, connections=1, most=_COUNTED_REQUESTS)
            for counts in proxied.values():
                counts.reset()
            requests, expected = messages(operation, tenants, _COUNTED_REQUESTS)
            target = load.Target(server.port, requests, expected)
            load.run(target, seconds=30, connections=1, most=_COUNTED_REQUESTS)
            totals = (
                sum(counts.statements for counts in postgres),
                sum(counts.trips for counts in postgres),
                proxied["REDIS_URL"].trips,
            )
            found[operation] = tuple(total / _COUNTED_REQUESTS for total in totals)
    return found


def _measured(
    servers: dict[str, Server], traffic: dict[str, Any], asked: argparse.Namespace
) -> Samples:
    samples: Samples = {}
    stores = Servers()
    for number in range(asked.rounds + 1):  # the first round warms up and is not counted
        warm_up = "" if number else " (warm-up)"
        print(f"round {number} of {asked.rounds}{warm_up}", flush=True)
        for operation in asked.operations:
            for name, server in servers.items():
                if operation not in _operations(name, asked):
                    continue
                requests, expected = messages(operation, traffic[name])
                target = load.Target(server.port, requests, expected)
                sample = _slice(target, server, stores, asked)
                if number:
                    samples.setdefault((operation, name), []).append(sample)
    return samples


def _slice(
    target: load.Target, server: Server, stores: Servers, asked: argparse.Namespace
) -> dict[str, float]:
    clocks = (server.cpu_seconds, stores.postgres_seconds, stores.redis_seconds)
    before = [clock() for clock in clocks]
    found = load.run(target, seconds=asked.seconds, connections=asked.connections)
    used = [clock() - start for clock, start in zip(clocks, before, strict=True)]
    web, postgres, redis = (seconds / found.count * 1e6 for seconds in used)
    return {
        "rate": found.rate,
        "p50": found.p50_ms,
        "p99": found.p99_ms,
        "web": web,
        "pg": postgres,
        "redis": redis,
        "sum": web + postgres + redis,
        "wrong": found.wrong,
        "client": found.client_us,
    }


def _print_table(
    samples: Samples, asks: dict[str, dict[str, Any]], asked: argparse.Namespace
) -> None:
    print(
        f"\nmedians of {asked.rounds} interleaved rounds of {asked.seconds} s,"
        f" {asked.connections} connections, {os.cpu_count()} processors; cpu in us a request;"
        " sql: statements, trips to PostgreSQL; redis: trips"
    )
    for name in asked.variants:
        print(f"  {name:<11} {MEANING[name]}")
    print(
        f"\n{'operation':<18}{'variant':<12}{'req/s':>7}{'p50 ms':>8}{'p99 ms':>8}{'web':>7}{'pg':>7}{'redis':>7}"
        f"{'cpu':>7}{'sql':>6}{'trips':>7}{'redis':>7}{'wrong':>7}  plaza is (req/s, cpu)"
    )
    for operation, name in samples:
        row = _middles(samples[operation, name])
        counts = "".join(
            f"{each:>{w}.1f}" for each, w in zip(asks[name][operation], (6, 7, 7), strict=True)
        )
        print(
            f"{operation:<18}{name:<12}{row['rate']:>7.0f}{row['p50']:>8.1f}{row['p99']:>8.1f}"
            f"{row['web']:>7.0f}{row['pg']:>7.0f}{row['redis']:>7.0f}{row['sum']:>7.0f}{counts}"
            f"{row['wrong']:>7.0f}{_ratio(samples, operation, name)}"
        )
    clients = median(each["client"] for runs in samples.values() for each in runs)
    print(f"\nthe load itself took {clients:.0f} us of processor a request")


def _middles(runs: list[dict[str, float]]) -> dict[str, float]:
    return {column: median(run[column] for run in runs) for column in runs[0]}


def _ratio(samples: Samples, operation: str, name: str) -> str:
    if name == "plaza" or (operation, "plaza") not in samples:
        return ""
    ours, theirs = _middles(samples[operation, "plaza"]), _middles(samples[operation, name])
    goal = _GOALS.get(("hot" if operation in HOT else "ordinary", name))
    told = f"  (goal {goal})" if goal else ""
    return f"  {ours['rate'] / theirs['rate']:.2f}x, {theirs['sum'] / ours['sum']:.2f}x{told}"
