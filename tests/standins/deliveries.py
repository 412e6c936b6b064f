"""Webhooks on their way: at least once, retried with growing pauses, kept over restarts."""

import heapq
import http.client
import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from tests.standins.faults import Faults
from tests.standins.store import Json, Store

log = logging.getLogger("standins")

MAX_ATTEMPTS = 12
LONGEST_PAUSE_SECONDS = 60.0
KEPT_DELIVERIES = 5_000
TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Letter:
    """A signed webhook, ready to be posted."""

    url: str
    headers: dict[str, str]
    body: bytes
    connect_to: str = ""  # host:port that answers for `url`, where no resolver knows its name


class NotLoopback(Exception):
    """A stand-in posts to this machine only, whatever address it was given."""


def post(letter: Letter) -> int:
    """The status of the answer. Raises OSError or HTTPException when there is none."""
    address = urlsplit(letter.url)
    goal = urlsplit(f"//{letter.connect_to}" if letter.connect_to else letter.url)
    host = goal.hostname or ""
    # RFC 6761: every name under .localhost is this machine, but resolvers of programs do not know.
    host = "127.0.0.1" if host == "localhost" or host.endswith(".localhost") else host
    if host not in ("127.0.0.1", "::1"):
        raise NotLoopback(f"{letter.url} is not on this machine")
    connection = http.client.HTTPConnection(host, goal.port or 80, timeout=TIMEOUT_SECONDS)
    try:
        target = address.path + (f"?{address.query}" if address.query else "")
        headers = {"Host": address.netloc, "Content-Type": "application/json", **letter.headers}
        connection.request("POST", target or "/", body=letter.body, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


class Deliveries:
    """A queue of (event, endpoint) pairs, sent in order by `send_due`, one at a time.

    `write` turns a delivery into the letter to post, or None when its event or endpoint is gone.
    """

    def __init__(
        self,
        store: Store,
        faults: Faults,
        *,
        write: Callable[[Json], Letter | None],
        retry_seconds: float = 1.0,
    ) -> None:
        self._store = store
        self._faults = faults
        self._write = write
        self._retry_seconds = retry_seconds
        self._heap: list[tuple[float, int, str]] = []
        self._sequence = 0
        self._is_sending = False
        self.is_held = False
        self.changed = threading.Condition(store.lock)
        self.reload()

    def reload(self) -> None:
        with self.changed:
            self._heap = []
            self.is_held = False
            for waiting in self._store.find("delivery", lambda one: one["status"] == "pending"):
                self._push(waiting["due"], waiting["id"])

    def _push(self, due: float, ident: str) -> None:
        self._sequence += 1
        heapq.heappush(self._heap, (due, self._sequence, ident))
        self.changed.notify_all()

    def add(self, *, event: str, endpoint: str) -> None:
        """Send `event` to `endpoint` soon: once, twice or never, as the faults have it."""
        copies = 2 if self._faults.take("duplicate_webhook") else 1
        is_lost = self._faults.take("lost_webhook") is not None
        for _ in range(copies):
            ident = uuid4().hex
            delivery: Json = {
                "id": ident,
                "event": event,
                "endpoint": endpoint,
                "status": "lost" if is_lost else "pending",
                "attempts": 0,
                "due": time.time(),
                "answers": [],
            }
            self._store.put("delivery", ident, delivery)
            if not is_lost:
                self._push(delivery["due"], ident)
        self._store.trim("delivery", keep=KEPT_DELIVERIES)

    def hold(self) -> None:
        with self.changed:
            self.is_held = True

    def release(self, *, order: str = "as_sent", seed: int = 0, copies: int = 1) -> int:
        """Let what was held go, each `copies` times; `order` is as_sent, reversed or shuffled."""
        with self._store.transaction(), self.changed:
            waiting = [entry for entry in sorted(self._heap) for _ in range(copies)]
            if order == "reversed":
                waiting.reverse()
            elif order == "shuffled":
                random.Random(seed).shuffle(waiting)
            elif order != "as_sent":
                raise ValueError(f"unknown order {order!r}")
            self._heap = []
            for _, _, ident in waiting:
                self._push(time.time(), ident)
            self.is_held = False
            return len(waiting)

    def pause_until_due(self, *, at_most: float, unless: Callable[[], bool]) -> None:
        """Sleep until something is due or changes. `unless` is asked under the lock."""
        with self.changed:
            if unless():
                return
            pause = at_most
            if self._heap and not self.is_held:
                pause = min(at_most, self._heap[0][0] - time.time())
            if pause > 0:
                self.changed.wait(pause)

    def send_due(self) -> None:
        """Post what is due. Posting happens outside the lock, so that the receiver may ask back."""
        while (ident := self._next_due()) is not None:
            try:
                delivery = self._store.get("delivery", ident)
                if delivery is not None:
                    self._send(delivery)
            finally:
                with self.changed:
                    self._is_sending = False
                    self.changed.notify_all()

    def _next_due(self) -> str | None:
        with self.changed:
            if self.is_held or not self._heap or self._heap[0][0] > time.time():
                return None
            self._is_sending = True
            return heapq.heappop(self._heap)[2]

    def _send(self, delivery: Json) -> None:
        letter = self._write(delivery)
        if letter is None:
            self._record(delivery, status="void", answer="the event or its endpoint is gone")
            return
        try:
            code = post(letter)
        except (OSError, http.client.HTTPException, NotLoopback) as error:
            self._record(delivery, status="pending", answer=f"{type(error).__name__}: {error}")
            return
        self._record(delivery, status="delivered" if 200 <= code < 300 else "pending", answer=code)

    def _record(self, delivery: Json, *, status: str, answer: Any) -> None:
        attempts = delivery["attempts"] + 1
        pause = min(self._retry_seconds * 2 ** (attempts - 1), LONGEST_PAUSE_SECONDS)
        if status == "pending" and attempts >= MAX_ATTEMPTS:
            status = "failed"
        delivery |= {
            "attempts": attempts,
            "status": status,
            "due": time.time() + pause,
            "answers": [*delivery["answers"], answer][-MAX_ATTEMPTS:],
        }
        with self._store.transaction():
            self._store.put("delivery", delivery["id"], delivery)
            if status == "pending":
                self._push(delivery["due"], delivery["id"])

    def settle(self, *, timeout_seconds: float) -> bool:
        """Wait until nothing is on its way any more; False when that takes too long."""
        ends_at = time.monotonic() + timeout_seconds
        with self.changed:
            while self._heap or self._is_sending:
                left = ends_at - time.monotonic()
                if left <= 0:
                    return False
                self.changed.wait(left)
            return True
