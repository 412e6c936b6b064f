"""A receiver of webhooks on 127.0.0.1 that verifies as a customer would, and can be told how to answer."""

import hashlib
import hmac
import threading
from base64 import b64decode, b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


def verified(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """The receiver's check, written from the specification and not from our own code."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = b64decode(secret.split("_", 1)[1])
    wanted = "v1," + b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return wanted in headers["webhook-signature"].split(" ")


class Sink:
    """Answers `status` with `headers`; `arrivals` are (path, headers, body)."""

    def __init__(self) -> None:
        self.status = 204
        self.headers: dict[str, str] = {}
        self.drip: threading.Event | None = None
        self.arrivals: list[tuple[str, dict[str, str], bytes]] = []
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                told = {name.lower(): value for name, value in self.headers.items()}
                sink.arrivals.append((self.path, told, body))
                if sink.drip is not None:
                    self._drip(sink.drip)
                    return
                self.send_response(sink.status)
                for name, value in sink.headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def _drip(self, stop: threading.Event) -> None:
                """A byte of a header now and then, so that no time-out of a socket ever runs out."""
                self.wfile.write(b"HTTP/1.0 200 OK\r\nX-Slow: ")
                while not stop.wait(0.05):
                    try:
                        self.wfile.write(b"x")
                        self.wfile.flush()
                    except OSError:
                        return

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/hooks"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.drip is not None:
            self.drip.set()
        self._server.shutdown()
        self._server.server_close()
