"""A place that webhooks arrive at, which can be told to be out of order for a while."""

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True)
class Arrival:
    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """Answers 200, or `failing` with 503 for as many requests as that says."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.failing = 0
        self._changed = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.take(Arrival(self.path, dict(self.headers), body))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    def take(self, arrival: Arrival) -> int:
        with self._changed:
            self.arrivals.append(arrival)
            self._changed.notify_all()
            if self.failing > 0:
                self.failing -= 1
                return 503
            return 200

    def wait_for(self, count: int, *, seconds: float = 5.0) -> list[Arrival]:
        with self._changed:
            self._changed.wait_for(lambda: len(self.arrivals) >= count, timeout=seconds)
            return list(self.arrivals)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
