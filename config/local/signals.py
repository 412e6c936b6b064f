"""Ctrl-C, SIGTERM and a closed terminal, turned into a question that loops ask."""

import signal
import time
from types import FrameType

_ASKING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopAsked(Exception):
    """Somebody wants the end. Raised between two steps, never in the middle of one."""


class StopRequest:
    """Counts the requests to stop: the first one stops, any further one hastens."""

    def __init__(self) -> None:
        self.count = 0

    def listen(self) -> None:
        for number in _ASKING:
            is_nohup = number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN
            if not is_nohup:
                signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.count += 1

    def pause(self, seconds: float) -> None:
        """Sleep, but no longer than until somebody asks to stop. Raises StopAsked then."""
        end = time.monotonic() + seconds
        while not self.count and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 0.05))
        if self.count:
            raise StopAsked
