"""A server that does not answer is not asked again for a second; then one request finds out."""

import threading
import time
from collections.abc import Callable

PROBE_EVERY_SECONDS = 1.0


class Breaker:
    """Closed while the server answers. Open, it lets one caller a second through as a probe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._is_open = False
        self._probe_at = 0.0

    @property
    def is_open(self) -> bool:
        return self._is_open

    def may_probe(self) -> bool:
        """Whether this caller is the one that looks whether the server is back."""
        with self._lock:
            if self._clock() < self._probe_at:
                return False
            self._probe_at = self._clock() + PROBE_EVERY_SECONDS
            return True

    def open(self) -> bool:
        """The server failed. Returns whether that is news."""
        with self._lock:
            is_news, self._is_open = not self._is_open, True
            self._probe_at = self._clock() + PROBE_EVERY_SECONDS
            return is_news

    def close(self) -> None:
        """The server is back."""
        self._is_open = False
