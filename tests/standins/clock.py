"""The stand-in's time, which a test may stop and move, and the work that falls due as it passes."""

import heapq
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

from tests.standins.store import Store

Action = Callable[[str], None]


class Clock:
    """Unix seconds: the wall clock plus an offset, or a moment at which it was stopped."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._paused_at: int | None = None

    def now(self) -> int:
        if self._paused_at is not None:
            return self._paused_at
        setting = self._store.get("setting", "clock") or {}
        stopped_at = setting.get("stopped_at")
        if stopped_at is not None:
            return int(stopped_at)
        return int(time.time()) + int(setting.get("offset", 0))

    def set_to(self, moment: int, *, stopped: bool) -> None:
        """From now on it is `moment`; when `stopped`, until somebody moves it again."""
        with self._store.transaction():
            setting = {"stopped_at": moment} if stopped else {"offset": moment - int(time.time())}
            self._store.put("setting", "clock", setting)

    @property
    def is_stopped(self) -> bool:
        return (self._store.get("setting", "clock") or {}).get("stopped_at") is not None

    @contextmanager
    def paused_at(self, moment: int) -> Iterator[None]:
        """What happens inside happens at `moment`, however long it takes."""
        self._paused_at = moment
        try:
            yield
        finally:
            self._paused_at = None


class Agenda:
    """Work promised for a moment, kept over restarts and done in order of time.

    An action looks at its subject again and does nothing when the reason is gone, so that nothing
    needs to be taken off the agenda.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._actions: dict[str, Action] = {}
        self._heap: list[tuple[int, int, str]] = []
        self._sequence = 0
        self.reload()

    def reload(self) -> None:
        """Take the heap from the store again (after a start or a reset)."""
        self._heap = []
        for entry in self._store.find("agenda"):
            self._push(entry["at"], entry["id"])

    def _push(self, at: int, ident: str) -> None:
        self._sequence += 1
        heapq.heappush(self._heap, (at, self._sequence, ident))

    def on(self, name: str, action: Action) -> None:
        self._actions[name] = action

    def add(self, at: int, action: str, subject: str) -> None:
        ident = uuid4().hex
        entry = {"id": ident, "at": at, "action": action, "subject": subject}
        self._store.put("agenda", ident, entry)
        self._push(at, ident)

    def run(self, until: int) -> int:
        """Do everything due up to `until`, each at its own moment; how many were done."""
        done = 0
        while True:
            with self._store.lock:
                if not self._heap or self._heap[0][0] > until:
                    return done
                top = heapq.heappop(self._heap)
                try:
                    self._perform(at=top[0], ident=top[2])
                except BaseException:
                    heapq.heappush(self._heap, top)
                    raise
            done += 1

    def _perform(self, *, at: int, ident: str) -> None:
        with self._store.transaction(), self._clock.paused_at(at):
            entry = self._store.get("agenda", ident)
            if entry is not None:  # else a failed transaction took it back
                self._store.delete("agenda", ident)
                self._actions[entry["action"]](entry["subject"])
