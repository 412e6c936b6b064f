"""Usage events over HTTP: batches of 1,000, deduplicated, into the ledger; against one row at a time.

Both run on Plaza's whole stack (tenant, credentials, gate). `batches` sends 1,000 new events in each
request to /usage-events/batch; `one by one` is the same server asked to take one event with each request.
The sum in the ledger is compared with what was answered 201, to the unit. The second half of each slice
of batches sends what was sent before: it must count nothing.
"""

import argparse
import json
import os
import socket
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from threading import Thread
from typing import Any
from uuid import uuid4

import psycopg

from tests.bench import load
from tests.bench.servers import Variant, serving
from tests.bench.variants import made as prepared_variant

PROMISED = 10_000
BATCH = 1_000
_METERS = ("emails", "sms", "tokens", "validations")


@dataclass(slots=True)
class Slice:
    """What one slice sent and was answered."""

    new: int = 0
    known: int = 0
    units: int = 0
    seconds: float = 0.0
    cpu_us: float = 0.0

    @property
    def rate(self) -> float:
        """Events a second that were new."""
        return self.new / self.seconds


def main(argv: list[str]) -> int:
    """Print the table; 1 when the ledger is wrong by a unit or the promise is broken."""
    asked = _arguments(argv)
    nobody = argparse.Namespace(tenants=asked.tenants, contacts=0)
    variant, tenants = prepared_variant("plaza", nobody)
    slices: dict[str, list[Slice]] = {"batches": [], "one by one": []}
    with (
        tempfile.TemporaryDirectory(prefix="plaza-bench-") as folder,
        serving(variant, Path(folder) / "plaza.log") as server,
    ):
        for number in range(asked.rounds + 1):  # the first round warms up
            for name, size in (("batches", BATCH), ("one by one", 1)):
                before = server.cpu_seconds()
                made = _run(server.port, tenants, size, asked)
                made.cpu_us = (server.cpu_seconds() - before) / made.new * 1e6
                slices[name].append(made)
                print(f"round {number}: {name} {made.rate:,.0f} events/s", flush=True)
        again = _repeat(server.port, tenants)
    sent = sum(each.units for runs in slices.values() for each in runs) + again.units
    counted, events = _ledger(variant)
    _print(slices, again, counted == sent, asked)
    rate = median(each.rate for each in slices["batches"][1:])
    return 0 if counted == sent and events and again.new == BATCH and rate >= PROMISED else 1


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench usage", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0, help="of one slice of batches")
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--tenants", type=int, default=4)
    return parser.parse_args(argv)


def _events(size: int) -> tuple[list[dict[str, Any]], int]:
    """New events of a few meters, and their units."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    events: list[dict[str, Any]] = [
        {
            "key": str(uuid4()), "meter": _METERS[n % len(_METERS)], "quantity": 1 + n % 3,
            "occurred_at": now, "properties": {"campaign": f"c{n % 50}", "channel": "api"},
        }
        for n in range(size)
    ]  # fmt: skip
    return events, sum(event["quantity"] for event in events)


def _message(tenant: Any, events: list[dict[str, Any]]) -> bytes:
    headers = {"Authorization": tenant["authorization"], "Content-Type": "application/json"}
    path = "/api/v1/usage-events"
    if len(events) == 1:
        return load.message("POST", path, tenant["host"], headers, json.dumps(events[0]).encode())
    body = json.dumps({"items": events}).encode()
    return load.message("POST", f"{path}/batch", tenant["host"], headers, body)


def _run(port: int, tenants: Any, size: int, asked: argparse.Namespace) -> Slice:
    """Each connection sends fresh events until the time is over; they are made before they are timed."""
    count = max(int(asked.seconds * PROMISED * 2.5 / size / asked.connections), 1)
    count = min(count, 400 if size == 1 else count)
    prepared = [
        [(_message(tenants[c % len(tenants)], events), units) for events, units in (_events(size) for _ in range(count))]
        for c in range(asked.connections)
    ]  # fmt: skip
    made = [Slice() for _ in prepared]
    stop_at = time.perf_counter() + asked.seconds
    threads = [
        Thread(target=_send, args=(port, messages, mine, stop_at))
        for messages, mine in zip(prepared, made, strict=True)
    ]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Slice(
        new=sum(each.new for each in made),
        known=sum(each.known for each in made),
        units=sum(each.units for each in made),
        seconds=time.perf_counter() - began,
    )


def _send(port: int, messages: list[tuple[bytes, int]], mine: Slice, stop_at: float) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for message, units in messages:
            if time.perf_counter() >= stop_at:
                return
            wire.sendall(message)
            body = load.read_body(wire.recv)
            new = body.count(b'"status":201') or int(b'"kind":"reported"' in body)
            mine.new += new
            mine.known += body.count(b'"status":200')
            mine.units += units
            if new not in {1, BATCH}:
                raise RuntimeError(body[:500])


def _repeat(port: int, tenants: Any) -> Slice:
    """One new batch, then the same nine times more from nine connections at once."""
    events, units = _events(BATCH)
    message, made = _message(tenants[0], events), Slice(units=units, seconds=1.0)

    def one() -> None:
        with closing(socket.create_connection(("127.0.0.1", port), timeout=60)) as wire:
            wire.sendall(message)
            body = load.read_body(wire.recv)
        made.new += body.count(b'"status":201')
        made.known += body.count(b'"status":200')

    threads = [Thread(target=one) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return made


def _ledger(variant: Variant) -> tuple[int, int]:
    """Units in the totals if the events say the same, else -1; and how many events."""
    address = variant.environment()["DATABASE_OWNER_URL"]
    with psycopg.connect(address) as owner:
        told = owner.execute(
            "SELECT coalesce(sum(quantity), 0)::bigint, count(*) FROM quotas_usageevent"
            " WHERE kind = 'reported'"
        ).fetchone()
        totals = owner.execute(
            "SELECT coalesce(sum(used), 0)::bigint FROM quotas_usagetotal WHERE meter = ANY(%s)",
            [list(_METERS)],
        ).fetchone()
    assert told is not None
    assert totals is not None
    return (int(told[0]) if told[0] == totals[0] else -1), int(told[1])


def _print(
    slices: dict[str, list[Slice]], again: Slice, is_exact: bool, asked: argparse.Namespace
) -> None:
    rates = {name: median(each.rate for each in runs[1:]) for name, runs in slices.items()}
    print(
        f"\nmedians of {asked.rounds} rounds, {asked.connections} connections, {os.cpu_count()} cores"
    )
    print(f"\n{'variant':<14}{'events/s':>12}{'least':>10}{'web cpu us':>12}{'batches are':>14}")
    for name, runs in slices.items():
        cpu = median(each.cpu_us for each in runs[1:])
        ratio = "" if name == "batches" else f"{rates['batches'] / rates[name]:>13.1f}x"
        print(
            f"{name:<14}{rates[name]:>12,.0f}{min(each.rate for each in runs[1:]):>10,.0f}{cpu:>12,.0f}{ratio}"
        )
    print(f"\none batch sent ten times at once: {again.new} new, {again.known} known")
    print(f"the ledger is what was accepted, to the unit: {'yes' if is_exact else 'NO'}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
