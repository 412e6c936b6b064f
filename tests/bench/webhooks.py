"""The door of the webhooks over HTTP: signed events of Stripe, each kept in the inbox before it is answered.

`new` are events that never came before; `again` are the same ones sent once more, which must be kept no
second time. The peer of the same run is `/livez`, which asks nothing and keeps nothing. A provider's
burst comes over a few connections.
"""

import argparse
import hashlib
import hmac
import itertools
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import psycopg

from tests.bench import load
from tests.bench.servers import Variant, serving
from tests.bench.variants import made as prepared_variant

PROMISED_P99_MS = 50.0
_SECRET = "whsec_of_the_bench"
_HOST = "plaza.localhost"
_LINES = 40
_ROUNDS = 3
_serial = itertools.count()


def main(argv: list[str]) -> int:
    """Print the table; 1 when an event was lost or doubled, or the promise is broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench webhooks", description=__doc__)
    parser.add_argument("--events", type=int, default=2_000, help="of each round")
    parser.add_argument("--connections", type=int, default=4)
    asked = parser.parse_args(argv)
    nobody = argparse.Namespace(tenants=1, contacts=0)
    variant, _ = prepared_variant("plaza", nobody)
    keys = {
        "STRIPE_API_KEY": "sk_test_bench", "STRIPE_WEBHOOK_SECRET": _SECRET,
        # Each request says another address: the limit of one is not what is measured.
        "PLAZA_TRUSTED_PROXIES": "127.0.0.1",
    }  # fmt: skip
    kept, worst = 0, 0.0
    with (
        tempfile.TemporaryDirectory(prefix="plaza-bench-") as folder,
        serving(variant, Path(folder) / "plaza.log", **keys) as server,
    ):
        for number in range(_ROUNDS + 1):  # the first round warms up
            events = [_event() for _ in range(asked.events)]
            forged = [_event(secret="whsec_of_another") for _ in range(asked.events)]
            samples = {
                "new": _sent(server.port, events, asked),
                "again": _sent(server.port, events, asked),
                "forged": _sent(server.port, forged, asked, expected=400),
            }
            kept += len(events)
            _told(number, samples)
            if number:
                worst = max(worst, samples["new"].p99_ms, samples["again"].p99_ms)
            if any(sample.wrong for sample in samples.values()):
                return 1
    found = _found(variant)
    print(f"{kept} events sent, {found} kept; the worst p99 is {worst:.1f} ms, promised is < 50 ms")
    return 0 if found == (kept, kept) and worst < PROMISED_P99_MS else 1


def _event(secret: str = _SECRET) -> bytes:
    """An invoice's event of the size that providers send, signed now."""
    number = next(_serial)
    line = {"id": "il_1", "amount": 9_900, "description": "1 x Growth (at $99.00 / month)"}
    body = json.dumps(
        {
            "id": f"evt_{os.getpid()}_{number}",
            "object": "event",
            "type": "invoice.updated",
            "data": {
                "object": {"object": "invoice", "id": f"in_{number}", "lines": [line] * _LINES}
            },
        }
    ).encode()
    at = int(time.time())
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
    headers = {
        "Content-Type": "application/json",
        "Stripe-Signature": f"t={at},v1={mac.hexdigest()}",
        "X-Forwarded-For": f"198.51.{number // 200 % 250}.{number % 200}",
    }
    return load.message("POST", "/webhooks/stripe", _HOST, headers, body)


def _sent(
    port: int, requests: list[bytes], asked: argparse.Namespace, *, expected: int = 200
) -> load.Sample:
    target = load.Target(port, requests, expected)
    return load.run(target, seconds=120, connections=asked.connections, most=asked.events)


def _told(number: int, samples: dict[str, load.Sample]) -> None:
    peer = samples["forged"].p50_ms
    for name, one in samples.items():
        print(
            f"round {number}: {name:7} {one.rate:7,.0f}/s  p50 {one.p50_ms:6.1f} ms"
            f"  p99 {one.p99_ms:6.1f} ms  x{one.p50_ms / peer:.1f}",
            flush=True,
        )


def _found(variant: Variant) -> tuple[int, int]:
    """Events and keys in the database."""
    address = variant.environment()["DATABASE_OWNER_URL"]
    with psycopg.connect(address) as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM billing_webhookevent), (SELECT count(*) FROM billing_webhookkey)"
        ).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
