"""The drill `pgbouncer`: the reads of `interleave` through a transaction pooler, with a sign-in for each tenant."""

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import local
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection, connections

from tenants.roles import LOOKUP, password_of
from tests.drills.ground import Ground, hang_up
from tests.drills.interleave import WAYS, Reads
from tests.drills.outcome import Outcome
from tests.pgbouncer import is_installed, pgbouncer

TENANTS = 6
# Fewer connections of the server than threads that ask: they must change hands.
_POOL_SIZE = 2
_THREADS = 8


def run(ground: Ground, n: int) -> Outcome:
    """`n` reads in each way, and as many by django-tenants' session SET, which must be seen wrong."""
    outcome = Outcome("pgbouncer")
    if settings.PLAZA_DB_LOGIN != "tenant":
        outcome.vain.append("behind a transaction pooler a tenant has a sign-in of its own")
        return outcome
    if not is_installed():
        outcome.vain.append("PgBouncer is not installed: apt-get install pgbouncer")
        return outcome
    owner: Any = settings.DATABASE_OWNER
    users = {each["USER"]: each["PASSWORD"] for each in (
        owner, settings.DATABASE_WEB, settings.DATABASE_SQUARE
    )}  # fmt: skip
    roles = [LOOKUP, *(tenant.schema_name for tenant in ground.tenants)]
    users |= {role: password_of(role) for role in roles}
    with (
        pgbouncer(
            host=owner["HOST"], port=int(owner["PORT"]), users=users, pool_size=_POOL_SIZE,
            database=str(connection.settings_dict["NAME"]),
        ) as port,
        _behind(port),
    ):  # fmt: skip
        for name, way in WAYS.items():
            reads = Reads(ground, outcome, name)
            way(reads, [reads.dice.choice(ground.tenants) for _ in range(n)])
            reads.tell(n)
        _session_set_must_fail(ground, outcome, port, n)
    return outcome


@contextmanager
def _behind(port: int) -> Iterator[None]:
    """Send the product's connections through the pooler; the owner's stay direct."""
    place: Any = connections.settings["default"]
    before = place["HOST"], place["PORT"]
    hang_up()
    place["HOST"], place["PORT"] = "127.0.0.1", str(port)
    try:
        yield
    finally:
        hang_up()
        place["HOST"], place["PORT"] = before


def _session_set_must_fail(ground: Ground, outcome: Outcome, port: int, n: int) -> None:
    """django-tenants' way: SET search_path for the session, then the read."""
    dice = ground.chance("session set")
    own = local()

    def read(seed: float) -> str:
        tenant = random.Random(seed).choice(ground.tenants)
        if not hasattr(own, "connection"):
            own.connection = _as_owner(port)
        try:
            own.connection.execute(f'SET search_path = "{tenant.schema_name}", public')
            found = own.connection.execute("SELECT first_name FROM crm_contact LIMIT 1").fetchone()
        except psycopg.Error:
            return "failed"
        return "right" if found == (ground.canary(tenant),) else "wrong"

    asked = min(n, 2000)
    with ThreadPoolExecutor(_THREADS) as threads:
        found = Counter(threads.map(read, [dice.random() for _ in range(asked)]))
    outcome.remarks.append(f"django-tenants' session SET: {found['wrong']} of {asked} reads wrong")
    if not found["wrong"]:
        outcome.vain.append("a session SET gave no wrong row")


def _as_owner(port: int) -> "psycopg.Connection[tuple[Any, ...]]":
    owner: Any = settings.DATABASE_OWNER
    return psycopg.connect(
        host="127.0.0.1", port=port, dbname=connection.settings_dict["NAME"], autocommit=True,
        user=owner["USER"], password=owner["PASSWORD"], prepare_threshold=None,
    )  # fmt: skip
