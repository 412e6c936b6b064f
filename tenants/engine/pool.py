"""Our pool of connections, in which a connection stays with its tenant: role and path are set already.

A backend that has touched 600 tenants holds 691 MB of catalog cache and never gives it back
(1.15 MB a tenant). So a thread gets, in this order: the idle connection that is bound as wished; a new
one while there is room; the one idle for longest, bound anew after DISCARD ALL. A connection is
closed after 100 bindings or 30 minutes.
"""

import os
import select
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus

from tenants.engine.bindings import Binding
from tenants.engine.refusals import NoConnectionLeft

MOST_BINDINGS = 100
LONGEST_LIFE_SECONDS = 1800.0
PATIENCE_SECONDS = 5.0
Opener = Callable[[Binding], "psycopg.Connection[Any]"]


@dataclass(slots=True, eq=False)
class Pooled:
    """A connection and what it has been through."""

    connection: "psycopg.Connection[Any]"
    binding: Binding
    opened_at: float = field(default_factory=time.monotonic)
    bound: set[Binding] = field(default_factory=set)
    is_initialised: bool = False
    holder: threading.Thread | None = None

    def is_worn(self) -> bool:
        is_old = time.monotonic() - self.opened_at > LONGEST_LIFE_SECONDS
        return is_old or len(self.bound) >= MOST_BINDINGS

    def is_alive(self) -> bool:
        """Whether the server still holds its end, without a round trip: it says nothing unasked but farewell."""
        raw = self.connection.pgconn
        if raw.status != ConnStatus.OK:
            return False
        poll = select.poll()
        poll.register(raw.socket, select.POLLIN)
        return not poll.poll(0)


class Pool:
    """At most `size` connections of this process; `take` and `give_back` are safe for threads."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._idle: list[Pooled] = []  # the one given back last stands last
        self._open = 0
        self._taken: set[Pooled] = set()
        self._in_use: Counter[Binding] = Counter()
        self._changed = threading.Condition()

    def take(self, wanted: Binding, open_new: Opener) -> Pooled:
        """A connection bound as `wanted`. Raises NoConnectionLeft, and what connecting raises."""
        found, worn = self._reserve(wanted)
        for each in worn:
            each.connection.close()
        try:
            pooled = self._fit(found, wanted, open_new)
        except BaseException:  # also where a task or a thread is ended: the place must not be lost
            if found is not None:
                found.connection.close()
            with self._changed:
                self._forget(wanted)
            raise
        pooled.holder = threading.current_thread()
        with self._changed:
            self._taken.add(pooled)
        return pooled

    def give_back(self, pooled: Pooled) -> None:
        """Let others have it; one in an odd state is closed instead."""
        if _is_clean(pooled.connection) and not pooled.is_worn() and _is_as_bound(pooled):
            with self._changed:
                self._taken.discard(pooled)
                self._idle.append(pooled)
                self._open += 1
                self._forget(pooled.binding)
            return
        pooled.connection.close()
        with self._changed:
            self._taken.discard(pooled)
            self._forget(pooled.binding)

    def close_idle(self) -> None:
        """Close every connection that nobody uses."""
        with self._changed:
            idle, self._idle = self._idle, []
            self._open -= len(idle)
            self._changed.notify_all()
        for each in idle:
            each.connection.close()

    def _reserve(self, wanted: Binding) -> tuple[Pooled | None, list[Pooled]]:
        """An idle connection, or None for the right to open one; and dead ones to close."""
        dead: list[Pooled] = []
        deadline = time.monotonic() + PATIENCE_SECONDS
        with self._changed:
            while True:
                if self._has_share(wanted):
                    found = self._same(wanted, dead)
                    if found is not None or self._open < self.size or self._idle:
                        self._in_use[wanted] += 1
                        return found or self._room(), dead
                if self._has_reclaimed():
                    continue
                if not self._changed.wait(deadline - time.monotonic()):
                    raise NoConnectionLeft(f"All {self.size} connections are in use.")

    def _has_share(self, wanted: Binding) -> bool:
        """Whether the tenant may use one more: a busy neighbour leaves connections to the others."""
        return not wanted.most_connections or self._in_use[wanted] < wanted.most_connections

    def _same(self, wanted: Binding, dead: list[Pooled]) -> Pooled | None:
        for index in range(len(self._idle) - 1, -1, -1):
            if self._idle[index].binding == wanted:
                found = self._idle.pop(index)
                if found.is_alive():
                    return found
                dead.append(found)
                self._open -= 1
        return None

    def _room(self) -> Pooled | None:
        """None while one may be opened; else the one idle for longest."""
        if self._open < self.size:
            self._open += 1
            return None
        return self._idle.pop(0)

    def _fit(self, found: Pooled | None, wanted: Binding, open_new: Opener) -> Pooled:
        if found is not None and found.binding == wanted:
            return found
        if found is not None and _may_rebind(found, wanted) and _rebound(found, wanted):
            return found
        if found is not None:
            found.connection.close()
        connection = open_new(wanted)
        try:
            _bind(connection, wanted, is_used=False)
        except BaseException:  # whatever ended it, nobody else would close the connection
            connection.close()
            raise
        return Pooled(connection, wanted, bound={wanted})

    def _has_reclaimed(self) -> bool:
        """Whether a thread ended without giving its connection back: its place is free again."""
        lost = [each for each in self._taken if each.holder and not each.holder.is_alive()]
        for each in lost:
            each.connection.close()
            self._taken.discard(each)
            self._forget(each.binding)
        return bool(lost)

    def _forget(self, binding: Binding) -> None:
        """One connection of this binding is in use no more, nor open."""
        self._open -= 1
        self._in_use[binding] -= 1
        if not self._in_use[binding]:
            del self._in_use[binding]  # tenants come and go
        self._changed.notify_all()


def _may_rebind(found: Pooled, wanted: Binding) -> bool:
    had = found.binding
    is_same = (had.user, had.on_replica) == (wanted.user, wanted.on_replica)
    return is_same and had.shared and wanted.shared and not found.is_worn()


def _rebound(found: Pooled, wanted: Binding) -> bool:
    """Bind it as `wanted`; False where it died while it was idle, so that a new one takes its room."""
    try:
        _bind(found.connection, wanted, is_used=True)
    except psycopg.OperationalError:
        return False
    except psycopg.DatabaseError:
        # Of a connection that is gone psycopg may say no more than this.
        if found.connection.pgconn.status == ConnStatus.OK:
            raise
        return False
    found.binding = wanted
    found.bound.add(wanted)
    return True


def _bind(connection: "psycopg.Connection[Any]", wanted: Binding, *, is_used: bool) -> None:
    """Send the binding, which is ours to the letter, by the simple protocol: one round trip for all of it."""
    # DISCARD ALL forgets the role, settings, plans, listeners and locks of whoever had it before.
    for message in (b"DISCARD ALL", wanted.sql()) if is_used else (wanted.sql(),):
        answer = connection.pgconn.exec_(message)
        if answer.status not in {ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK}:
            raise psycopg.errors.error_from_result(answer)
    if is_used:
        connection._prepared.clear()  # noqa: SLF001 (it did not see DISCARD ALL, and has no public name)
        connection._prepared._to_flush.clear()  # noqa: SLF001 (its DEALLOCATE ALL would drop the next one)


def _is_as_bound(pooled: Pooled) -> bool:
    """In a session of its own sign-in a tenant's injected SQL may SET what it likes: each use begins anew."""
    if pooled.binding.shared or pooled.binding.is_owner:
        return True
    try:
        _bind(pooled.connection, pooled.binding, is_used=True)
    except psycopg.Error:
        return False
    return True


def _is_clean(connection: "psycopg.Connection[Any]") -> bool:
    raw = connection.pgconn
    if raw.status != ConnStatus.OK:
        return False
    if raw.transaction_status in {TransactionStatus.INTRANS, TransactionStatus.INERROR}:
        connection.rollback()
    if not connection.autocommit:
        connection.autocommit = True
    return raw.transaction_status == TransactionStatus.IDLE


_pools: dict[str, Pool] = {}
_making = threading.Lock()


def pool_of(database: str, size: int) -> Pool:
    """The pool of this process for one database."""
    with _making:
        return _pools.setdefault(database, Pool(size))


def _forget_after_fork() -> None:
    # They are the parent's: psycopg does not close what another process opened.
    global _making  # noqa: PLW0603 (the parent may have held it)
    _pools.clear()
    _making = threading.Lock()


os.register_at_fork(after_in_child=_forget_after_fork)
