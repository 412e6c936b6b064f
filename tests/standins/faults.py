"""What a test tells a stand-in to do wrong."""

import threading
import time
from dataclasses import asdict, dataclass
from typing import Any

KINDS = ("latency", "error", "lost_answer", "no_answer", "duplicate_webhook", "lost_webhook")


class ConnectionLost(ConnectionError):
    """Ends a connection without an answer; werkzeug then closes the socket."""


@dataclass
class Fault:
    """One thing that goes wrong, `times` times.

    latency: the work starts `seconds` later. error: answers `status` and does nothing. no_answer:
    hangs up and does nothing. lost_answer: does the work, then hangs up. duplicate_webhook and
    lost_webhook: the next deliveries go out twice, or never.
    """

    kind: str
    times: int = 1
    status: int = 500
    seconds: float = 0.0
    method: str = ""
    path: str = ""

    def concerns(self, *, method: str, path: str) -> bool:
        return self.method in ("", method) and path.startswith(self.path)


class Faults:
    """The faults still to come. Each is taken by as many requests or deliveries as it has times."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, kind: str, **details: Any) -> None:
        """Raises ValueError for an unknown kind, TypeError for an unknown detail."""
        if kind not in KINDS:
            raise ValueError(f"unknown fault {kind!r}; one of {', '.join(KINDS)}")
        with self._lock:
            self._waiting.append(Fault(kind, **details))

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def listed(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._waiting]

    def take(self, kind: str, *, method: str = "", path: str = "") -> Fault | None:
        with self._lock:
            for fault in self._waiting:
                if fault.kind == kind and fault.concerns(method=method, path=path):
                    fault.times -= 1
                    if fault.times <= 0:
                        self._waiting.remove(fault)
                    return fault
        return None

    def before(self, *, method: str, path: str) -> Fault | None:
        """Wait, hang up, or hand over the error to answer with, as the faults have it."""
        delay = self.take("latency", method=method, path=path)
        if delay is not None:
            time.sleep(delay.seconds)
        if self.take("no_answer", method=method, path=path) is not None:
            raise ConnectionLost
        return self.take("error", method=method, path=path)

    def after(self, *, method: str, path: str) -> None:
        if self.take("lost_answer", method=method, path=path) is not None:
            raise ConnectionLost
