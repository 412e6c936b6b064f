"""Contacts (list, get, create) through Plaza, Plaza without its wall, plain Django + DRF, and django-tenants.

They serve the same model from the same PostgreSQL under the same granian; they are loaded in
turn within each round, so that a noisy machine disturbs all of them alike. Medians and ratios.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench import load
from tests.bench.servers import Server, Variant, fresh_database, serving
from tests.stack import REPOSITORY

OPERATIONS = {"list": 200, "get": 200, "create": 201}
VARIANTS = {
    "plaza": ("tests.bench.plaza_settings", "config.wsgi:application", "tests.bench.seed_plaza"),
    "open": ("tests.bench.open_settings", "config.wsgi:application", "tests.bench.seed_plaza"),
    "plain": ("tests.bench.peers.plain_settings", "tests.bench.peers.wsgi:application", "tests.bench.peers.seed_plain"),
    "documented": ("tests.bench.peers.documented_settings", "tests.bench.peers.wsgi:application", "tests.bench.peers.seed_documented"),
}  # fmt: skip
LEGEND = {
    "plaza": "the whole stack: tenant, credentials, gate, ledger",
    "open": "the same without a wall: the owner's sign-in, a search path, no roles, as django-tenants does",
    "plain": "plain Django + DRF, neither tenancy nor gate",
    "documented": "django-tenants as its documentation sets it up, DRF, no gate",
}


def main(argv: list[str]) -> int:
    """Print the table; 1 when an answer was wrong."""
    asked = _arguments(argv)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="plaza-bench-")))
        servers: dict[str, Server] = {}
        traffic: dict[str, Any] = {}
        for name, (settings, application, seed) in VARIANTS.items():
            variant = Variant(name, settings, application, fresh_database(f"bench_{name}"))
            print(f"preparing {name}: {asked.tenants} x {asked.contacts} contacts", flush=True)
            traffic[name] = seeded(variant, seed, asked.tenants, asked.contacts)
            servers[name] = stack.enter_context(serving(variant, folder / f"{name}.log"))
        samples = _measured(servers, traffic, asked)
    _print_table(samples, asked)
    return 1 if any(sample["wrong"] for runs in samples.values() for sample in runs) else 0


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench requests", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of one slice")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--tenants", type=int, default=4)
    parser.add_argument("--contacts", type=int, default=5_000, help="of each tenant")
    return parser.parse_args(argv)


def seeded(variant: Variant, module: str, tenants: int, contacts: int) -> Any:
    """Fill the database; the seeder prints `[{host, authorization, ids}]`, one for each tenant."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", module, str(tenants), str(contacts)],
        cwd=REPOSITORY, env=variant.environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{module} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def _requests(operation: str, tenants: Any, serial: list[int]) -> list[bytes]:
    messages = []
    for turn in range(2_000 if operation == "create" else 400):
        tenant = tenants[turn % len(tenants)]
        headers = {"Authorization": tenant["authorization"], "Accept": "application/json"}
        path, method, body = "/api/v1/contacts?limit=20", "GET", b""
        if operation == "get":
            path = f"/api/v1/contacts/{tenant['ids'][turn % len(tenant['ids'])]}"
        if operation == "create":
            serial[0] += 1
            method, path = "POST", "/api/v1/contacts"
            headers["Content-Type"] = "application/json"
            body = json.dumps(
                {"email": f"new-{serial[0]}@bench.test", "first_name": "Ada", "last_name": "Byron"}
            ).encode()
        messages.append(load.message(method, path, tenant["host"], headers, body))
    return messages


def _measured(
    servers: dict[str, Server], traffic: dict[str, Any], asked: argparse.Namespace
) -> dict[tuple[str, str], list[dict[str, float]]]:
    samples: dict[tuple[str, str], list[dict[str, float]]] = {}
    serial = [0]
    for number in range(asked.rounds + 1):  # the first round warms up and is not counted
        print(
            f"round {number} of {asked.rounds}" + (" (warm-up)" if not number else ""), flush=True
        )
        for operation, expected in OPERATIONS.items():
            for name, server in servers.items():
                target = load.Target(
                    server.port, _requests(operation, traffic[name], serial), expected
                )
                before = server.cpu_seconds()
                slice_ = load.run(target, seconds=asked.seconds, connections=asked.connections)
                cpu_us = (server.cpu_seconds() - before) / slice_.count * 1e6
                if number:
                    samples.setdefault((operation, name), []).append(
                        {
                            "rate": slice_.rate,
                            "p50": slice_.p50_ms,
                            "p99": slice_.p99_ms,
                            "cpu": cpu_us,
                            "wrong": slice_.wrong,
                        }
                    )
    return samples


def _print_table(
    samples: dict[tuple[str, str], list[dict[str, float]]], asked: argparse.Namespace
) -> None:
    def middle(operation: str, name: str, column: str) -> float:
        return median(sample[column] for sample in samples[operation, name])

    print(
        f"\nmedians of {asked.rounds} interleaved rounds of {asked.seconds} s, {asked.connections} connections"
    )
    for name, meaning in LEGEND.items():
        print(f"  {name:<11} {meaning}")
    print(
        f"\n{'operation':<10}{'variant':<12}{'req/s':>8}{'p50 ms':>9}{'p99 ms':>9}{'web cpu us':>12}{'wrong':>7}{'plaza is':>11}"
    )
    for operation in OPERATIONS:
        for name in VARIANTS:
            wrong = sum(sample["wrong"] for sample in samples[operation, name])
            ratio = middle(operation, "plaza", "rate") / middle(operation, name, "rate")
            print(
                f"{operation:<10}{name:<12}{middle(operation, name, 'rate'):>8.0f}"
                f"{middle(operation, name, 'p50'):>9.1f}{middle(operation, name, 'p99'):>9.1f}"
                f"{middle(operation, name, 'cpu'):>12.0f}{wrong:>7.0f}"
                + (f"{ratio:>10.2f}x" if name != "plaza" else "")
            )
