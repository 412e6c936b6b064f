"""Who is compared: Plaza, and peers that serve the same nouns from the same PostgreSQL under the same granian."""

import argparse
import json
import subprocess
import sys
from typing import Any

from tests.bench.servers import Variant, fresh_database
from tests.stack import REPOSITORY

_PEER, _PLAZA = "tests.bench.peers.wsgi:application", "config.wsgi:application"
_SEED_PLAZA, _SEED_PLAIN = "tests.bench.seed_plaza", "tests.bench.peers.seed_plain"
_SEED_TENANTS = "tests.bench.peers.seed_documented"
KNOWN = {
    "plaza": ("tests.bench.plaza_settings", _PLAZA, _SEED_PLAZA),
    "plain": ("tests.bench.peers.plain_settings", _PEER, _SEED_PLAIN),
    "naive": ("tests.bench.peers.naive_settings", _PEER, _SEED_TENANTS),
    "open": ("tests.bench.open_settings", _PLAZA, _SEED_PLAZA),
    "documented": ("tests.bench.peers.documented_settings", _PEER, _SEED_TENANTS),
}
MEANING = {
    "plaza": "the whole stack: tenant, credentials, gate, ledger",
    "plain": "plain Django + DRF with persistent connections, neither tenancy nor enforcement",
    "naive": "django-tenants with a pool, flags by query, a quota row updated, django-ratelimit",
    "open": "Plaza without a wall: the owner's sign-in, a search path, no roles",
    "documented": "django-tenants as its documentation sets it up, DRF, no gate",
}
USUAL = ("plaza", "plain", "naive")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of one slice")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--tenants", type=int, default=4)
    parser.add_argument("--contacts", type=int, default=5_000, help="of each tenant")


def made(name: str, asked: argparse.Namespace) -> tuple[Variant, Any]:
    """A variant with a filled database; and `[{host, authorization, ids}]`, one for each tenant."""
    settings, application, seed = KNOWN[name]
    database = fresh_database(f"bench_{name}")
    variant = Variant(name, settings, application, database, has_wall=name == "plaza")
    print(f"preparing {name}: {asked.tenants} x {asked.contacts} contacts", flush=True)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", seed, str(asked.tenants), str(asked.contacts)],
        cwd=REPOSITORY, env=variant.environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{seed} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return variant, json.loads(done.stdout.splitlines()[-1])
