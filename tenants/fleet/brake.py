"""Stopping a fleet run from outside: first gently, between two transactions, then at once."""

import threading
from collections.abc import Callable


class Brake:
    """`pull` is safe in a signal handler. What was begun is finished, or taken back by the database."""

    def __init__(self) -> None:
        self._pulled = threading.Event()
        self._cancel: Callable[[], None] | None = None

    def pull(self) -> None:
        """Begin nothing new. The second time: cancel what is running, and raise KeyboardInterrupt."""
        if not self._pulled.is_set():
            self._pulled.set()
            return
        if self._cancel is not None:
            self._cancel()
        raise KeyboardInterrupt

    def is_pulled(self) -> bool:
        return self._pulled.is_set()

    def cancels(self, cancel: Callable[[], None]) -> None:
        self._cancel = cancel
