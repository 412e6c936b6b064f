"""What every stand-in is: a small WSGI server on loopback with a memory, a clock and faults."""

import logging
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from tests.standins import control
from tests.standins.clock import Agenda, Clock
from tests.standins.deliveries import Deliveries, Letter
from tests.standins.faults import Faults
from tests.standins.store import Json, Store

log = logging.getLogger("standins")

LOOPBACK = "127.0.0.1"
IDLE_SECONDS = 5.0


def _is_at_home(request: Request) -> bool:
    """No page of another site may read the inbox here or give orders (DNS rebinding, CSRF)."""
    own = ("127.0.0.1", "localhost")
    host = request.host.partition(":")[0]
    origin = request.headers.get("Origin")
    return host in own and (origin is None or urlsplit(origin).hostname in own)


class _Handler(WSGIRequestHandler):
    # Headers and body leave in two writes; with Nagle's algorithm the second waits 40 ms.
    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: the requests are in `/_standin/requests`."""

    def connection_dropped(
        self, error: BaseException, environ: dict[str, Any] | None = None
    ) -> None:
        """Hang up: a fault asked for no answer (or the client has gone already)."""
        self.close_connection = True


class Standin:
    """A server on 127.0.0.1, as a context manager or by `start` and `stop`.

    With a `home` it remembers over restarts, in `<home>/<name>.sqlite`. `validate` checks every
    answer against the provider's official contract; a wrong one becomes a 500 and a line in
    `violations`.
    """

    name: ClassVar[str]

    def __init__(
        self,
        *,
        home: Path | None = None,
        port: int = 0,
        validate: bool = False,
        retry_seconds: float = 1.0,
    ) -> None:
        self.home = home
        self.validate = validate
        self.violations: list[str] = []
        self.requests: deque[Json] = deque(maxlen=2_000)
        self.store = Store(None if home is None else home / f"{self.name}.sqlite")
        self.clock = Clock(self.store)
        self.agenda = Agenda(self.store, self.clock)
        self.faults = Faults()
        self.deliveries = Deliveries(
            self.store, self.faults, write=self.letter, retry_seconds=retry_seconds
        )
        self._port = port
        self._server: BaseWSGIServer | None = None
        self._threads: list[threading.Thread] = []
        self._stopping = threading.Event()

    # What each provider fills in.

    def respond(self, request: Request) -> Response:
        """Answer one request of the provider's own API or pages."""
        raise NotImplementedError

    def failure(self, status: int) -> Response:
        """An injected error in the provider's own shape."""
        raise NotImplementedError

    def letter(self, delivery: Json) -> Letter | None:
        """The signed webhook of a delivery; None when there is nothing left to send."""
        raise NotImplementedError

    def furnish(self) -> None:
        """Put in what is there from the beginning (after the first start, and after a reset)."""

    def obey(self, order: str, asked: Json) -> Json:
        """An order that only this provider's stand-in knows. Raises KeyError for others."""
        raise KeyError(order)

    # Life.

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def port(self) -> int:
        return self._port

    def start(self) -> Self:
        """Bind and serve. Raises OSError when the port is taken."""
        # Bound by ourselves: on a taken port werkzeug would end the process.
        with socket.create_server((LOOPBACK, self._port)) as listening:
            self._port = listening.getsockname()[1]
            self._server = make_server(
                LOOPBACK,
                self._port,
                self.wsgi,
                threaded=True,
                request_handler=_Handler,
                fd=listening.fileno(),
            )
        with self.store.transaction():
            self.furnish()
        self._run(partial(self._server.serve_forever, poll_interval=0.02))
        self._run(self._keep_up)
        return self

    def _run(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=f"standin-{self.name}", daemon=True)
        thread.start()
        self._threads.append(thread)

    def stop(self) -> None:
        with self.deliveries.changed:
            self._stopping.set()
            self.deliveries.changed.notify_all()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        for thread in self._threads:
            thread.join(timeout=2)
        self.store.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _keep_up(self) -> None:
        """Send webhooks as they fall due, and do what the passing time brings."""
        while not self._stopping.is_set():
            try:
                if not self.clock.is_stopped:
                    self.agenda.run(until=self.clock.now())
                self.deliveries.send_due()
            except Exception:
                # The stand-in's own mistake: said loudly, and the other webhooks still go out.
                log.exception("standin.background_failed")
                self.violations.append("background work failed; see the log")
                self._stopping.wait(IDLE_SECONDS)
            self.deliveries.pause_until_due(at_most=IDLE_SECONDS, unless=self._stopping.is_set)

    def reset(self) -> None:
        """Forget everything but what is there from the beginning."""
        with self.store.transaction():
            self.store.clear()
            self.furnish()
        self.faults.clear()
        self.violations.clear()
        self.requests.clear()
        self.agenda.reload()
        self.deliveries.reload()

    # Requests.

    def wsgi(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        response = self._answer(request)
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if not _is_at_home(request):
            return Response("This server answers on this machine's own names only.", 421)
        if request.path.startswith(control.PREFIX):
            return control.respond(self, request)
        fault = self.faults.before(method=request.method, path=request.path)
        response = self.failure(fault.status) if fault else self._guarded(request)
        self.requests.append(
            {
                "method": request.method,
                "path": request.full_path.rstrip("?"),
                "status": response.status_code,
                "key": request.headers.get("Idempotency-Key")
                or request.headers.get("PayPal-Request-Id"),
            }
        )
        self.faults.after(method=request.method, path=request.path)
        return response

    def _guarded(self, request: Request) -> Response:
        try:
            return self.respond(request)
        except Exception:
            log.exception("standin.request_failed")
            self.violations.append(f"{request.method} {request.path}: failed; see the log")
            return self.failure(500)
