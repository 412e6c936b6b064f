"""Whose turn it is in this process: as many requests as have places are at work, the others wait by rank.

A web process has more threads than places, so that what waits is here, where it can be seen, and not in
the server's queue. Critical views (usage, plan, sign-in) go first, bulk work last. Who would wait longer
than is useful is refused at once with 503, instead of everybody being served late.
"""

import heapq
import threading
import time
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


class WaitingRoom:
    """`places` at work at once; safe for threads."""

    def __init__(self, places: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._places = places
        self._clock = clock
        self._lock = threading.Lock()
        self._at_work = 0
        self._waiting: list[_Waiting] = []
        self._number = 0
        self._usual_seconds = 0.0

    def enter(self, needs: Needs, *, is_bulk: bool) -> float:
        """Take a place, or wait for one's turn; when it began. Raises Overloaded."""
        rank = _rank_of(needs, is_bulk=is_bulk)
        with self._lock:
            if self._at_work < self._places:
                self._at_work += 1
                return self._clock()
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
        return self._clock()

    def leave(self, began: float) -> None:
        """Give the place to the next one in turn."""
        with self._lock:
            took = self._clock() - began
            self._usual_seconds += _LEARN_RATIO * (took - self._usual_seconds)
            while self._waiting:
                following = heapq.heappop(self._waiting)
                if not following.has_left:
                    following.turn.set()
                    return
            self._at_work -= 1

    @property
    def waiting(self) -> int:
        with self._lock:
            return sum(not each.has_left for each in self._waiting)

    def _expected_wait(self, rank: int) -> float:
        ahead = sum(each.rank <= rank and not each.has_left for each in self._waiting)
        return (ahead + 1) * self._usual_seconds / self._places


def _rank_of(needs: Needs, *, is_bulk: bool) -> int:
    if needs.critical or needs.public:
        return _CRITICAL
    return _DEFERRABLE if is_bulk else _OTHER


@cache
def waiting_room() -> WaitingRoom:
    """That of this process."""
    return WaitingRoom(settings.PLAZA_WEB_PLACES)
