"""Whose turn it is in this process: as many requests as have places are at work, the others wait by rank.

A web process has more threads than places, so that what waits is here, where it can be seen, and not in
the server's queue. Critical views (usage, plan, sign-in) go first, bulk work last. Who would wait longer
than is useful is refused at once with 503, instead of everybody being served late.
"""

import heapq
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from config.errors import DomainError
from config.needs import Needs

# How much the duration of one request changes what the next one is expected to take.
_LEARN_RATIO = 0.1
_CRITICAL, _OTHER, _DEFERRABLE = range(3)
PATIENCE_SECONDS = {_CRITICAL: 15.0, _OTHER: 2.0, _DEFERRABLE: 0.5}


class Overloaded(DomainError):
    """The server has more work than it can do; this request may pass in a moment."""

    code = "overloaded"
    status = 503
    title = _("The service is very busy at the moment.")
    headers = {"Retry-After": "2"}


@dataclass(order=True, slots=True)
class _Waiting:
    rank: int
    number: int
    turn: threading.Event = field(compare=False, default_factory=threading.Event)
    has_left: bool = field(compare=False, default=False)


@dataclass(frozen=True, slots=True)
class Place:
    """A place taken, at `began` by the room's clock."""

    rank: int
    began: float


class WaitingRoom:
    """`places` at work at once; safe for threads.

    Long work must not take them all: bulk gets half of them, and one is kept for what is critical.
    """

    def __init__(self, places: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._places = places
        # At most so many of each rank together with those below it.
        self._most = {
            _CRITICAL: places,
            _OTHER: max(1, places - 1),
            _DEFERRABLE: max(1, places // 2),
        }
        self._clock = clock
        self._lock = threading.Lock()
        self._at_work = Counter[int]()
        self._waiting: list[_Waiting] = []
        self._number = 0
        self._usual_seconds = dict.fromkeys(PATIENCE_SECONDS, 0.0)

    def enter(self, needs: Needs, *, is_bulk: bool) -> Place:
        """Take a place, or wait for one's turn. Raises Overloaded."""
        rank = _rank_of(needs, is_bulk=is_bulk)
        with self._lock:
            if self._may_begin(rank):
                self._at_work[rank] += 1
                return Place(rank, self._clock())
            patience = PATIENCE_SECONDS[rank]
            if self._expected_wait(rank) > patience:
                raise Overloaded()
            self._number += 1
            mine = _Waiting(rank, self._number)
            heapq.heappush(self._waiting, mine)
        if not mine.turn.wait(patience):
            with self._lock:
                if not mine.turn.is_set():
                    mine.has_left = True
                    raise Overloaded()
        return Place(rank, self._clock())

    def leave(self, place: Place) -> None:
        """Give the place to the next one in turn."""
        with self._lock:
            took, usual = self._clock() - place.began, self._usual_seconds[place.rank]
            self._usual_seconds[place.rank] = usual + _LEARN_RATIO * (took - usual)
            self._at_work[place.rank] -= 1
            while self._waiting:
                following = self._waiting[0]
                if not following.has_left:
                    # Where the first may not begin, nobody behind it may.
                    if not self._may_begin(following.rank):
                        return
                    self._at_work[following.rank] += 1
                    following.turn.set()
                    heapq.heappop(self._waiting)
                    return
                heapq.heappop(self._waiting)

    @property
    def waiting(self) -> int:
        with self._lock:
            return sum(not each.has_left for each in self._waiting)

    def _may_begin(self, rank: int) -> bool:
        return all(
            sum(self._at_work[each] for each in PATIENCE_SECONDS if each >= limited) < most
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


@cache
def waiting_room() -> WaitingRoom:
    """That of this process."""
    return WaitingRoom(settings.PLAZA_WEB_PLACES)
