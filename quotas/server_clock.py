"""Redis's time, as far as this process knows it: so that a question can say until when it is meant.

A request that gave up on its question is decided elsewhere; a server that wakes up, or was slow,
must not decide it again. The script looks at its own clock and leaves what is late alone.
"""

import time

_MICROSECONDS = 1_000_000
# An answer this quick tells the time well: the error is at most half of it.
_QUICK_SECONDS = 0.01


class ServerClock:
    """Learns from every answer; survives steps of the server's clock and sleep of this machine."""

    def __init__(self) -> None:
        self._ahead_seconds: float | None = None

    def deadline(self, *, sent: float, seconds: float) -> int:
        """The server's microseconds `seconds` after `sent` (monotonic); 0 while its time is unknown."""
        if self._ahead_seconds is None:
            return 0
        return int((sent + self._ahead_seconds + seconds) * _MICROSECONDS)

    def learn(self, server_microseconds: int, *, sent: float) -> None:
        """The server said its time in the answer, that came just now, to a question of `sent`."""
        took = time.monotonic() - sent
        ahead = server_microseconds / _MICROSECONDS - sent - took / 2
        known = self._ahead_seconds
        # A slow answer is a poor witness, unless what is known cannot be true.
        if known is None or took < _QUICK_SECONDS or abs(ahead - known) > took:
            self._ahead_seconds = ahead
