"""Batches of 1,000 contacts over HTTP: added, upserted (half of them known), read; against one at a time.

Each item has nine values: both keys, a name, a phone, a company, two tags and custom fields. The time is that
of the whole request on Plaza's stack (tenant, credentials, gate, ledger), sent one after another. `one by one`
upserts 100 of the same contacts by one request each, told for 1,000.
"""

import argparse
import json
import socket
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench import load
from tests.bench.servers import serving
from tests.bench.variants import made as prepared_variant

PROMISED_MS = 300
BATCH = 1_000
_ALONE = 100


def main(argv: list[str]) -> int:
    """Print the table; 1 when an item was refused or the promise is broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench batches", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    asked = parser.parse_args(argv)
    variant, tenants = prepared_variant("plaza", argparse.Namespace(tenants=1, contacts=1_000))
    took: dict[str, list[float]] = {}
    with (
        tempfile.TemporaryDirectory(prefix="plaza-bench-") as folder,
        serving(variant, Path(folder) / "plaza.log") as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=60) as wire,
    ):
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in range(asked.rounds + 1):  # the first round warms up
            for name, seconds in _round(wire, tenants[0], number):
                if number:
                    took.setdefault(name, []).append(seconds * 1_000)
    print(f"{'1,000 contacts':<28}{'median ms':>10}{'worst ms':>10}")
    for name, times in took.items():
        print(f"{name:<28}{median(times):>10,.0f}{max(times):>10,.0f}")
    return 0 if median(took["upsert, half of them known"]) < PROMISED_MS else 1


def _round(wire: socket.socket, tenant: Any, number: int) -> list[tuple[str, float]]:
    first = number * 2 * BATCH
    fresh = [_contact(first + n) for n in range(BATCH)]
    half = [_contact(first + BATCH // 2 + n) for n in range(BATCH)]
    named = [{"email": each["email"]} for each in fresh]
    alone = [_sent(wire, tenant, "?key=email", each) for each in half[:_ALONE]]
    return [
        ("one by one", sum(alone) * BATCH / _ALONE),
        ("upsert, all of them new", _sent(wire, tenant, "/batch?key=email", {"items": fresh})),
        ("upsert, half of them known", _sent(wire, tenant, "/batch?key=email", {"items": half})),
        ("read", _sent(wire, tenant, "/batch/read", {"items": named})),
    ]


def _sent(wire: socket.socket, tenant: Any, path: str, body: Any) -> float:
    headers = {"Authorization": tenant["authorization"], "Content-Type": "application/json"}
    address = f"/api/v1/contacts{path}"
    message = load.message(
        "POST", address, tenant["host"], headers, json.dumps(body, separators=(",", ":")).encode()
    )
    began = time.perf_counter()
    wire.sendall(message)
    answer = load.read_body(wire.recv)
    took = time.perf_counter() - began
    if b'"error"' in answer or b'"id"' not in answer:
        raise RuntimeError(answer[:500])
    return took


def _contact(number: int) -> dict[str, Any]:
    return {
        "email": f"person-{number}@bench.test", "external_id": f"crm-{number}",
        "first_name": "Ada", "last_name": f"Byron {number}", "phone": f"+5255{number % 10**8:08}",
        "company": f"Firm {number % 50}", "tags": ["vip", f"cohort-{number % 10}"],
        "fields": {"points": number, "city": "Guadalajara"},
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
