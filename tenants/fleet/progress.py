"""How far it is: a bar with rate and time left on a terminal, a line now and then on a pipe, nothing for `--json`."""

import time
from typing import Protocol, TextIO

_WIDTH = 28
_SECONDS_BETWEEN_LINES = 5.0
_SECONDS_BETWEEN_DRAWINGS = 0.1


class Progress(Protocol):
    def begin(self, total: int) -> None: ...
    def advance(self, number: int = 1) -> None: ...
    def end(self) -> None: ...


class Silence:
    """For `--json` and for callers who want none."""

    def begin(self, total: int) -> None:
        pass

    def advance(self, number: int = 1) -> None:
        pass

    def end(self) -> None:
        pass


class Shown:
    """Writes to `stream`: redraws one line on a terminal, adds lines elsewhere."""

    def __init__(self, stream: TextIO, noun: str = "schemas") -> None:
        self._stream = stream
        self._noun = noun
        self._is_terminal = stream.isatty()
        self._pause = _SECONDS_BETWEEN_DRAWINGS if self._is_terminal else _SECONDS_BETWEEN_LINES
        self._total = self._done = 0
        self._began_at = self._shown_at = 0.0

    def begin(self, total: int) -> None:
        self._total, self._done = total, 0
        self._began_at = self._shown_at = time.monotonic()

    def advance(self, number: int = 1) -> None:
        self._done += number
        if time.monotonic() - self._shown_at >= self._pause:
            self._show()

    def end(self) -> None:
        if self._done:
            self._show()
            if self._is_terminal:
                self._stream.write("\n")

    def _show(self) -> None:
        self._shown_at = time.monotonic()
        line = line_of(self._done, self._total, self._shown_at - self._began_at, self._noun)
        if self._is_terminal:
            self._stream.write(f"\r\x1b[K{_bar(self._done, self._total)} {line}")
        else:
            self._stream.write(f"{line}\n")
        self._stream.flush()


def line_of(done: int, total: int, seconds: float, noun: str) -> str:
    """`120/500 schemas, 61.3 a second, 0:00:06 left`."""
    rate = done / seconds if seconds > 0 else 0.0
    text = f"{done}/{total} {noun}, {rate:.1f} a second"
    if done >= total or not rate:
        return text
    left = round((total - done) / rate)
    return f"{text}, {left // 3600}:{left // 60 % 60:02}:{left % 60:02} left"


def _bar(done: int, total: int) -> str:
    filled = _WIDTH * done // total if total else _WIDTH
    return f"[{'#' * filled}{'.' * (_WIDTH - filled)}]"
