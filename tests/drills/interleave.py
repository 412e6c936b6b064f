"""The drill `interleave`: whose rows come back, when threads, async code and tasks share a pool too small for them."""

import asyncio
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from uuid import uuid4

from asgiref.sync import sync_to_async
from django.db import Error, connection, transaction
from django.db.models import QuerySet

from apps.crm.models import Contact
from config.celery import app
from config.messages import TENANT_HEADER
from config.needs import Needs
from tenants.isolation import lookup_context, on_square, square_context, tenant_context
from tenants.models import Tenant
from tests.drills.ground import Ground
from tests.drills.outcome import Outcome

TENANTS = 6
_THREADS = 8
_KEEPING = 3  # threads that keep their connection, of four in the pool
_AT_ONCE = 32
_heard: dict[str, list[str]] = {}


def run(ground: Ground, n: int) -> Outcome:
    """`n` reads in each of the four ways: threads, async, tasks, and a pool that hands on after each read."""
    outcome = Outcome("interleave")
    for name, way in WAYS.items():
        reads = Reads(ground, outcome, name)
        way(reads, [reads.dice.choice(ground.tenants) for _ in range(n)])
        reads.tell(n)
    connection.close()
    return outcome


class Reads:
    """Compares what was read with what the tenant has. Safe for threads."""

    def __init__(self, ground: Ground, outcome: Outcome, name: str) -> None:
        self.ground = ground
        self.outcome = outcome
        self.name = name
        self.dice = ground.chance(f"interleave {name}")
        self.asked = 0
        self._began = time.perf_counter()
        self._lock = threading.Lock()

    def check(self, tenant: Tenant, read: Callable[[], list[str]]) -> None:
        """One read: `read` is called inside of the tenant."""
        began = time.perf_counter()
        try:
            found, failed = read(), ""
        except Error as error:
            found, failed = [], f"{type(error).__name__}: {error}"
        self.count(tenant, found, failed, (time.perf_counter() - began) * 1000)

    def count(self, tenant: Tenant, found: list[str], failed: str, milliseconds: float) -> None:
        right = self.ground.canary(tenant)
        with self._lock:
            self.asked += 1
            self.outcome.n += 1
            self.outcome.times.append(milliseconds)
            if any(name != right for name in found):
                self.outcome.leak(f"{self.name}: {tenant.slug} read {found}")
            elif not found:
                self.outcome.lose(f"{self.name}: {tenant.slug} read nothing {failed}")
            elif len(found) > 1:
                self.outcome.double(f"{self.name}: {tenant.slug} read {found}")

    def tell(self, n: int) -> None:
        """After `n` reads: how long they took, and whether one gave no answer at all."""
        seconds = time.perf_counter() - self._began
        self.outcome.remarks.append(f"{self.name}: {self.asked} reads in {seconds:.1f} s")
        if self.asked != n:
            self.outcome.lose(f"{self.name}: {self.asked} answers to {n}", abs(n - self.asked))


# --- how a row is read: each is inside of a tenant ---------------------------------------------------


def _plainly(dice: random.Random) -> list[str]:
    return list(_canaries())


def _in_transaction(dice: random.Random) -> list[str]:
    with transaction.atomic():
        return list(_canaries())


def _after_rollback(dice: random.Random) -> list[str]:
    with suppress(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")
    return list(_canaries())


def _in_chunks(dice: random.Random) -> list[str]:
    with transaction.atomic():
        return list(_canaries().iterator(chunk_size=1))


def _by_cursor(dice: random.Random) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT first_name FROM crm_contact WHERE first_name LIKE 'canary-%%'", None)
        return [name for (name,) in cursor.fetchall()]


def _between_places(dice: random.Random) -> list[str]:
    first = list(_canaries())
    with on_square():
        Tenant.objects.count()
    with square_context():
        Tenant.objects.exists()
    with lookup_context():
        Tenant.objects.exists()
    return list(_canaries()) if first else first


_MANNERS = (_plainly, _in_transaction, _after_rollback, _in_chunks, _by_cursor, _between_places)


def _canaries() -> "QuerySet[Contact, str]":
    return Contact.objects.filter(first_name__startswith="canary-").values_list(
        "first_name", flat=True
    )


# --- who reads ---------------------------------------------------------------------------------------


def _by_threads(reads: Reads, tenants: list[Tenant]) -> None:
    """A thread keeps its connection from one tenant to the next; some visit another on their way."""
    plans = [(tenant, reads.dice.choice(_MANNERS), reads.dice.random()) for tenant in tenants]

    def visit(plan: tuple[Tenant, Callable[[random.Random], list[str]], float]) -> None:
        tenant, manner, turn = plan
        with tenant_context(tenant):
            if turn < 0.2:
                with tenant_context(reads.dice.choice(reads.ground.tenants)), suppress(KeyError):
                    list(_canaries())
                    raise KeyError("left by an exception")
            reads.check(tenant, lambda: manner(reads.dice))

    with ThreadPoolExecutor(_KEEPING) as threads:
        list(threads.map(visit, plans))
        list(threads.map(_leave, range(_KEEPING)))


def _by_pool(reads: Reads, tenants: list[Tenant]) -> None:
    """The connection goes back after each read, so that nearly each read gets one that was another's."""

    def visit(tenant: Tenant) -> None:
        with tenant_context(tenant):
            reads.check(tenant, lambda: _plainly(reads.dice))
        connection.close()

    with ThreadPoolExecutor(_THREADS) as threads:
        list(threads.map(visit, tenants))


def _by_async(reads: Reads, tenants: list[Tenant]) -> None:
    """Coroutines that wait inside of their tenant while others run; the reads go to shared threads."""

    def read(tenant: Tenant, manner: Callable[[random.Random], list[str]]) -> None:
        reads.check(tenant, lambda: manner(reads.dice))
        connection.close()

    async def visit(tenant: Tenant, gate: asyncio.Semaphore, turn: float) -> None:
        async with gate:
            with tenant_context(tenant):
                await asyncio.sleep(turn / 1000)
                asked = sync_to_async(read, thread_sensitive=turn < 0.3)
                await asked(tenant, reads.dice.choice(_MANNERS))

    async def everybody() -> None:
        gate = asyncio.Semaphore(_AT_ONCE)
        await asyncio.gather(*(visit(tenant, gate, reads.dice.random()) for tenant in tenants))

    asyncio.run(everybody())


@app.task(name="drill.read_canary", needs=Needs(meter=None))
def read_canary(*, ticket: str) -> None:
    """What a task of the tenant in its message's header reads."""
    _heard[ticket] = list(_canaries())


def _by_tasks(reads: Reads, tenants: list[Tenant]) -> None:
    """Messages as the worker runs them: the tenant is in the header, and nothing else says it."""

    def visit(tenant: Tenant) -> None:
        ticket, began = str(uuid4()), time.perf_counter()
        ran = read_canary.apply(kwargs={"ticket": ticket}, headers={TENANT_HEADER: str(tenant.id)})
        failed = "" if ran.successful() else str(ran.result)
        took = (time.perf_counter() - began) * 1000
        reads.count(tenant, _heard.pop(ticket, []), failed, took)

    with ThreadPoolExecutor(_KEEPING) as threads:
        list(threads.map(visit, tenants))
        list(threads.map(_leave, range(_KEEPING)))


_leaving = threading.Barrier(_KEEPING)


def _leave(_: int) -> None:
    """Give each thread's connection back before it ends: each of them comes here once."""
    connection.close()
    _leaving.wait(30)


WAYS: dict[str, Callable[[Reads, list[Tenant]], None]] = {
    "threads": _by_threads,
    "async": _by_async,
    "tasks": _by_tasks,
    "pool": _by_pool,
}
