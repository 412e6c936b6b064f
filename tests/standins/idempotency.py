"""Answers remembered by the caller's key, so that a repeated request is answered, not repeated."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.standins.clock import Clock
from tests.standins.store import Store

KEPT_ANSWERS = 20_000


class InProgress(Exception):
    """The same key is being worked on at this moment."""


class OtherRequest(Exception):
    """The key was used before, for something else."""


class Idempotency:
    """Statuses and bodies by key, for `kept_seconds` of the stand-in's time."""

    def __init__(self, store: Store, clock: Clock, *, kept_seconds: int) -> None:
        self._kept_seconds = kept_seconds
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._working: set[str] = set()

    @contextmanager
    def claim(self, key: str) -> Iterator[None]:
        """The key is ours inside. Raises InProgress when it is somebody else's."""
        with self._lock:
            if key in self._working:
                raise InProgress(key)
            self._working.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._working.discard(key)

    def remembered(self, key: str, *, request: str) -> tuple[int, bytes] | None:
        """The earlier answer. Raises OtherRequest when `request` is not the one it was given to."""
        kept = self._store.get("answer", key)
        if kept is None or kept["at"] + self._kept_seconds < self._clock.now():
            return None
        if kept["request"] != _fingerprint(request):
            raise OtherRequest(key)
        return kept["status"], kept["body"].encode()

    def remember(self, key: str, *, request: str, status: int, body: bytes) -> None:
        """Keep the answer; call it inside the work's own transaction."""
        kept = {
            "request": _fingerprint(request),
            "status": status,
            "body": body.decode(),
            "at": self._clock.now(),
        }
        self._store.put("answer", key, kept)
        self._store.trim("answer", keep=KEPT_ANSWERS)


def _fingerprint(request: str) -> str:
    return hashlib.sha256(request.encode()).hexdigest()
