"""Counts what a server asks of PostgreSQL and Redis: a proxy that looks at the bytes, and so cannot be wrong about them."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

_STATEMENTS = frozenset({b"Q", b"E"})  # a simple query; an Execute of the extended protocol


@dataclass(slots=True)
class Counts:
    """Statements of PostgreSQL's protocol, and round trips: what was sent after an answer had come."""

    statements: int = 0
    trips: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reset(self) -> None:
        self.statements = self.trips = 0


@contextmanager
def counted(address: str, *, is_postgres: bool) -> Iterator[tuple[str, Counts]]:
    """The same URL by way of a proxy of ours, and what goes through it."""
    parts = urlsplit(address)
    server = (parts.hostname or "127.0.0.1", parts.port or (5432 if is_postgres else 6379))
    counts = Counts()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        thread = threading.Thread(
            target=_accept, args=(listening, server, counts, is_postgres), daemon=True
        )
        thread.start()
        _, at, _ = parts.netloc.rpartition("@")
        sign_in = parts.netloc[: parts.netloc.rfind("@") + 1] if at else ""
        yield urlunsplit(parts._replace(netloc=f"{sign_in}127.0.0.1:{port}")), counts
        listening.shutdown(socket.SHUT_RDWR)


def _accept(
    listening: socket.socket, server: tuple[str, int], counts: Counts, is_postgres: bool
) -> None:
    with contextlib.suppress(OSError):  # closed, when the counting is over
        while True:
            client, _ = listening.accept()
            link = _Link(client, socket.create_connection(server), counts, is_postgres)
            for work in (link.upwards, link.downwards):
                threading.Thread(target=work, daemon=True).start()


class _Link:
    """One connection of the counted server."""

    def __init__(
        self, client: socket.socket, server: socket.socket, counts: Counts, is_postgres: bool
    ) -> None:
        for each in (client, server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client, self._server, self._counts = client, server, counts
        self._reader = _Statements() if is_postgres else None
        self._was_answered = True

    def upwards(self) -> None:
        with self._client, self._server, contextlib.suppress(OSError):
            while data := self._client.recv(65_536):
                statements = self._reader.read(data) if self._reader else 0
                with self._counts.lock:
                    self._counts.trips += self._was_answered
                    self._counts.statements += statements
                self._was_answered = False
                self._server.sendall(data)

    def downwards(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._server.recv(65_536):
                self._was_answered = True
                self._client.sendall(data)
            self._client.shutdown(socket.SHUT_RDWR)


class _Statements:
    """Reads the frontend's messages: one letter and a length; those before the start-up have no letter."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._has_started = False

    def read(self, data: bytes) -> int:
        """How many statements are complete with `data`."""
        self._data += data
        found = 0
        while True:
            letters = 1 if self._has_started else 0
            if len(self._data) < letters + 4:
                return found
            length = int.from_bytes(self._data[letters : letters + 4])
            if len(self._data) < letters + length:
                return found
            found += bytes(self._data[:letters]) in _STATEMENTS
            # A wish for TLS is eight bytes long, and the start-up follows it.
            self._has_started = self._has_started or length > 8
            del self._data[: letters + length]
