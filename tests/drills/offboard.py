"""The drill `offboard`: one of many tenants is erased while its neighbours work; few locks, and nobody notices.

The erasure is another process's, as in production, and is let go on and held up in turns, so that
requests with it and without it are of the same minute on the same machine.
"""

import itertools
import logging
import os
import threading
import time
from collections import defaultdict
from contextlib import closing
from datetime import UTC, datetime
from multiprocessing import get_context
from typing import Any

from django.db import connection

from tenants import life
from tenants.engine.owner import owner_connection
from tenants.isolation import square_context, tenant_context
from tenants.models import Tenant
from tests import factories
from tests.client import Api
from tests.drills.ground import Ground, hang_up, made_tenant
from tests.drills.outcome import Outcome

TENANTS = 0
_CONTACTS = "/api/v1/contacts"
_MOST_LOCKS = 100
_NEIGHBOURS, _THREADS = 9, 3
_SLICE_SECONDS = 0.25
# So many are erased, one after the other, so that there are requests enough beside an erasure.
_LEAST_ERASED, _ONE_ERASED_OF = 3, 20
# Neighbours' p99 with an erasure: at most twice as long, or so much longer, where both are short.
_MOST_RATIO, _MOST_MORE_MS = 2.0, 25.0
_ENOUGH_REQUESTS = 300
_MOST_OF_ONE = """
SELECT coalesce(max(held), 0) FROM (
    SELECT count(*) AS held FROM pg_locks JOIN pg_stat_activity USING (pid)
     WHERE application_name = 'plaza-owner' AND pid <> pg_backend_pid() AND datname = current_database()
     GROUP BY pid) AS each
"""
_fork = get_context("fork")


class Watch:
    """Whether the erasure may go on now, and what was seen meanwhile. Safe for threads."""

    def __init__(self) -> None:
        self.turn = _fork.Event()
        self.is_over = threading.Event()
        self.most_locks = self.looks = 0
        self.times: dict[bool, list[float]] = defaultdict(list)

    def sample_locks(self) -> None:
        with closing(owner_connection()) as owner:
            while not self.is_over.is_set():
                row = owner.execute(_MOST_OF_ONE).fetchone()
                held = row[0] if row else 0
                self.looks += held > 0
                self.most_locks = max(self.most_locks, held)
                time.sleep(0.005)


def run(ground: Ground, n: int) -> Outcome:
    """`n` tenants made by cloning; one after the other is erased, the first nine read and write over the API."""
    outcome, watch = Outcome("offboard"), Watch()
    began = time.perf_counter()
    tenants = [made_tenant(f"offboard-{number}") for number in range(n)]
    ground.made_since.extend(tenants)
    outcome.n = n
    outcome.remarks.append(f"{n} tenants cloned in {time.perf_counter() - began:.0f} s")
    doomed = tenants[_NEIGHBOURS:][: max(_LEAST_ERASED, n // _ONE_ERASED_OF)]
    neighbours = [_neighbour(tenant) for tenant in tenants[:_NEIGHBOURS]]
    hang_up()  # a connection is one process's
    told, tell = _fork.Pipe(duplex=False)
    eraser = _fork.Process(target=_erase, args=(doomed, watch.turn, tell), daemon=True)
    eraser.start()
    threads = [threading.Thread(target=watch.sample_locks)]
    threads += [
        threading.Thread(target=_work, args=(neighbours[number::_THREADS], watch, outcome))
        for number in range(_THREADS)
    ]
    for thread in threads:
        thread.start()
    _in_turns(eraser, watch)
    for thread in threads:
        thread.join()
    by_journal = told.recv() if told.poll() else []
    _judge(outcome, watch, by_journal, len(doomed))
    _is_gone(outcome, doomed)
    return outcome


def _neighbour(tenant: Tenant) -> tuple[Api, str]:
    """Its API, and the name that all of its contacts have."""
    with square_context():
        api = Api.signed_in(tenant)
    with tenant_context(tenant):
        factories.ContactFactory.create_batch(5, first_name=f"canary-{tenant.slug}")
    api.get(_CONTACTS)  # what a process does at its first request is no erasure's fault
    connection.close()
    return api, f"canary-{tenant.slug}"


def _in_turns(eraser: Any, watch: Watch) -> None:
    """Let the erasure go on and hold it up, as long as it lives; then the watch is over."""
    for may_go_on in itertools.cycle((False, True)):
        (watch.turn.set if may_go_on else watch.turn.clear)()
        eraser.join(_SLICE_SECONDS)
        if eraser.exitcode is not None:
            break
    watch.is_over.set()


def _erase(doomed: list[Tenant], turn: Any, tell: Any) -> None:
    """In a process of its own: each waits for its turn between two steps. Tells the most locks of each."""
    most: list[int] = []
    log = logging.getLogger("tenants.life.erasing")
    log.setLevel(logging.INFO)
    log.propagate = False
    log.addHandler(_Heard(most))
    with square_context():
        for tenant in doomed:
            life.erase(
                tenant_id=tenant.pk, now=datetime.now(UTC), is_at_once=True,
                tell=lambda _: turn.wait(),
            )  # fmt: skip
    tell.send(most)
    tell.close()
    os._exit(0)  # what waits for the end of the drill's own process is not this one's


class _Heard(logging.Handler):
    def __init__(self, most: list[int]) -> None:
        super().__init__()
        self.most = most

    def emit(self, record: logging.LogRecord) -> None:
        if record.msg == "tenant.erased":
            self.most.append(record.__dict__["most_locks"])


def _work(neighbours: list[tuple[Api, str]], watch: Watch, outcome: Outcome) -> None:
    """Read and write, by turns, until the erasure is over."""
    for number, (api, canary) in enumerate(itertools.cycle(neighbours)):
        if watch.is_over.is_set():
            return
        was = watch.turn.is_set()
        began = time.perf_counter()
        fault = _ask(api, canary, number)
        milliseconds = (time.perf_counter() - began) * 1000
        if fault:
            outcome.lose(fault)
        if watch.turn.is_set() == was:
            watch.times[was].append(milliseconds)
            outcome.times.append(milliseconds)


def _ask(api: Api, canary: str, number: int) -> str:
    """One request over every middleware; what is wrong with its answer, or ""."""
    try:
        if number % 4 == 3:
            made = {"email": f"n{number}@drill.test", "first_name": canary}
            answer = api.post(_CONTACTS, made)
            return "" if answer["first_name"] == canary else f"{canary} wrote {answer}"
        names = {contact["first_name"] for contact in api.get(f"{_CONTACTS}?limit=5")["results"]}
    except Exception as error:  # noqa: BLE001  whatever a neighbour suffers is what is asked for
        return f"{canary}: {type(error).__name__}: {str(error)[:200]}"
    else:
        return "" if names == {canary} else f"{canary} read {names}"
    finally:
        connection.close()


def _judge(outcome: Outcome, watch: Watch, by_journal: list[int], erased: int) -> None:
    most = max([watch.most_locks, *by_journal])
    outcome.remarks.append(
        f"most locks at any moment: {watch.most_locks} in {watch.looks} looks,"
        f" {max(by_journal, default=0)} by the journal of {len(by_journal)} erasures"
    )
    if most >= _MOST_LOCKS:
        outcome.lose(f"{most} locks were held at once")
    if len(by_journal) != erased:
        outcome.lose(f"{erased - len(by_journal)} of {erased} were not erased")
    p99 = {is_on: _p99(watch.times[is_on]) for is_on in (True, False)}
    outcome.remarks.append(
        f"neighbours' p99: {p99[True]:.1f} ms in {len(watch.times[True])} requests with an erasure,"
        f" {p99[False]:.1f} ms in {len(watch.times[False])} without"
    )
    fewest = min(len(watch.times[True]), len(watch.times[False]))
    if fewest < _ENOUGH_REQUESTS:
        outcome.remarks.append(f"{fewest} requests are too few to compare a p99")
    elif p99[True] > max(p99[False] * _MOST_RATIO, p99[False] + _MOST_MORE_MS):
        outcome.lose("the neighbours were slower with an erasure beside them")
    if not watch.looks or not all(watch.times[is_on] for is_on in (True, False)):
        outcome.vain.append("no erasure was seen beside the neighbours' requests")


def _p99(times: list[float]) -> float:
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] if ordered else 0.0


def _is_gone(outcome: Outcome, doomed: list[Tenant]) -> None:
    schemas = [tenant.schema_name for tenant in doomed]
    with closing(owner_connection()) as owner:
        left = owner.execute(
            "SELECT nspname FROM pg_namespace WHERE nspname = ANY(%(names)s)"
            " UNION ALL SELECT rolname FROM pg_roles WHERE rolname = ANY(%(names)s)",
            {"names": schemas},
        ).fetchall()
    for (name,) in left:
        outcome.lose(f"{name} is still there")
