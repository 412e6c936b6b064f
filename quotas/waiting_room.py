"""Whose turn it is in this process: as many requests as have places are at work, the others wait by rank.

A web process has more threads than places, so that what waits is here, where it can be seen, and not in
the server's queue. Critical views (usage, plan, sign-in) go first, bulk work last; of one rank the tenants
take turns (quotas/turns.py), so that one with many requests does not keep waiting who has a single one.
Who would wait longer than is useful is refused at once with 503, instead of everybody being served late.

Python runs one thread of a process at a time. With many in the middle of their request each answer of Redis
or PostgreSQL waits until the others let go: at 16 connections the gate's p99 was 13 ms with 8 at once,
4 ms with 3, and as many requests a second. So few begin at once; who is at work for longer than they
usually are waits for PostgreSQL, and lets the next one begin.
"""

import heapq
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from config.errors import DomainError
from config.needs import Needs
from quotas.turns import Turns

# How much the duration of one request changes what the next one is expected to take.
_LEARN_RATIO = 0.1
_CRITICAL, _OTHER, _DEFERRABLE = range(3)
# So many of those at work have begun within the last QUICK_SECONDS, and one more that is critical.
QUICK, QUICK_SECONDS = 3, 0.05
PATIENCE_SECONDS = {_CRITICAL: 15.0, _OTHER: 5.0, _DEFERRABLE: 0.5}


class Overloaded(DomainError):
    """The server has more work than it can do; this request may pass in a moment."""

    code = "overloaded"
    status = 503
    title = _("The service is very busy at the moment.")
    headers = {"Retry-After": "2"}


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A place taken, at `began` by the room's clock."""

    rank: int
    began: float


@dataclass(order=True, slots=True)
class _Waiting:
    rank: int
    turn: int
    number: int
    called: threading.Event = field(compare=False, default_factory=threading.Event)
    place: Place | None = field(compare=False, default=None)
    has_left: bool = field(compare=False, default=False)


class WaitingRoom:
    """`places` at work at once; safe for threads.

    Long work must not take them all: bulk gets half of them, and one is kept for what is critical.
    """

    def __init__(
        self,
        places: int,
        clock: Callable[[], float] = time.monotonic,
        patience: Mapping[int, float] = PATIENCE_SECONDS,
    ) -> None:
        self._patience = patience
        # At most so many of each rank together with those below it.
        self._most = {
            _CRITICAL: places,
            _OTHER: max(1, places - 1),
            _DEFERRABLE: max(1, places // 2),
        }
        self._clock = clock
        self._lock = threading.Lock()
        self._at_work: list[Place] = []
        self._waiting: list[_Waiting] = []
        self._number = 0
        self._turns = {rank: Turns() for rank in PATIENCE_SECONDS}
        self._usual_seconds = dict.fromkeys(PATIENCE_SECONDS, 0.0)

    def enter(self, needs: Needs, *, is_bulk: bool, tenant_id: UUID | None = None) -> Place:
        """Take a place, or wait for one's turn. Raises Overloaded."""
        rank = _rank_of(needs, is_bulk=is_bulk)
        with self._lock:
            self._begin_those_who_may()
            if self._may_begin(rank):
                return self._begun(rank, self._turns[rank].take(tenant_id))
            if self._expected_wait(rank) > self._patience[rank]:
                raise Overloaded()
            self._number += 1
            turn = self._turns[rank].take(tenant_id)
            mine = _Waiting(rank, turn, self._number)
            heapq.heappush(self._waiting, mine)
        return self._waited(mine, until=time.monotonic() + self._patience[rank])

    def leave(self, place: Place) -> None:
        """Give the place to the next one in turn."""
        with self._lock:
            took, usual = self._clock() - place.began, self._usual_seconds[place.rank]
            self._usual_seconds[place.rank] = usual + _LEARN_RATIO * (took - usual)
            self._at_work.remove(place)
            self._begin_those_who_may()

    def _waited(self, mine: _Waiting, *, until: float) -> Place:
        # Nobody calls when somebody's quick time is over, hence the looks in between.
        while not mine.called.wait(max(0.0, min(QUICK_SECONDS, until - time.monotonic()))):
            with self._lock:
                self._begin_those_who_may()
                if mine.place is None and time.monotonic() >= until:
                    mine.has_left = True
                    raise Overloaded()
        if mine.place is None:
            raise RuntimeError("called without a place")
        return mine.place

    def _begin_those_who_may(self) -> None:
        while self._waiting:
            first = self._waiting[0]
            if not first.has_left:
                # Where the first may not begin, nobody behind it may.
                if not self._may_begin(first.rank):
                    return
                first.place = self._begun(first.rank, first.turn)
                first.called.set()
            heapq.heappop(self._waiting)

    def _begun(self, rank: int, turn: int) -> Place:
        self._turns[rank].begin(turn)
        place = Place(rank, self._clock())
        self._at_work.append(place)
        return place

    @property
    def waiting(self) -> int:
        with self._lock:
            return sum(not each.has_left for each in self._waiting)

    def _may_begin(self, rank: int) -> bool:
        quick_since = self._clock() - QUICK_SECONDS
        quick = sum(place.began > quick_since for place in self._at_work)
        return quick < QUICK + (rank == _CRITICAL) and all(
            sum(place.rank >= limited for place in self._at_work) < most
            for limited, most in self._most.items()
            if limited <= rank
        )

    def _expected_wait(self, rank: int) -> float:
        ahead = [each.rank for each in self._waiting if each.rank <= rank and not each.has_left]
        seconds = sum(self._usual_seconds[each] for each in [*ahead, rank])
        return seconds / self._most[rank]


def _rank_of(needs: Needs, *, is_bulk: bool) -> int:
    if needs.critical or needs.public:
        return _CRITICAL
    return _DEFERRABLE if is_bulk else _OTHER


def waiting_room() -> WaitingRoom:
    """That of this process: one, also where its first requests come at once."""
    with _making:
        return _made()


_making = threading.Lock()


@cache
def _made() -> WaitingRoom:
    return WaitingRoom(settings.PLAZA_WEB_PLACES)
