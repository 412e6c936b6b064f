"""What a drill found: one line to print, and whether it passed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_SHOWN = 20


@dataclass(slots=True)
class Outcome:
    """leaks: foreign bytes or changed rights; lost: what should have come and did not; dup: what came twice.

    `faults` tell each of them in words. `vain` is a check that could not have failed: the drill fails.
    Times are in milliseconds.
    """

    drill: str
    n: int = 0
    leaks: int = 0
    lost: int = 0
    dup: int = 0
    times: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    vain: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def leak(self, told: str, count: int = 1) -> None:
        self.leaks += count
        self.faults.append(f"leak: {told}")

    def lose(self, told: str, count: int = 1) -> None:
        self.lost += count
        self.faults.append(f"lost: {told}")

    def double(self, told: str, count: int = 1) -> None:
        self.dup += count
        self.faults.append(f"dup: {told}")

    @contextmanager
    def timed(self) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.times.append((time.perf_counter() - began) * 1000)

    @property
    def p95(self) -> float:
        """The 95th percentile, or 0 where nothing was timed."""
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))] if ordered else 0.0

    @property
    def passed(self) -> bool:
        return self.n > 0 and not (self.leaks or self.lost or self.dup or self.vain)

    def line(self) -> str:
        verdict = "PASS" if self.passed else "FAIL"
        return (
            f"drill={self.drill} n={self.n} leaks={self.leaks} lost={self.lost} dup={self.dup}"
            f" p95={self.p95:.1f}ms {verdict}"
        )

    def report(self) -> str:
        """The line, and above it what went wrong and what was seen beside it."""
        told = [*self.remarks, *(f"cannot fail: {fact}" for fact in self.vain)]
        told += self.faults[:_SHOWN]
        if len(self.faults) > _SHOWN:
            told.append(f"… and {len(self.faults) - _SHOWN} more")
        return "\n".join([*told, self.line()])
