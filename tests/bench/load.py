"""A bounded closed-loop load over keep-alive sockets: one thread that waits for all of them, so that it costs little."""

import multiprocessing
import multiprocessing.connection
import re
import selectors
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

_TIMEOUT_SECONDS = 30
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_DECIDED = re.compile(rb"\r\nx-gate-microseconds: *(\d+) (\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send: each answer makes its connection send the next of `requests`, round and round."""

    port: int
    requests: Sequence[bytes]
    expected: int


@dataclass(frozen=True, slots=True)
class Sample:
    """One slice: requests a second, latencies in milliseconds, and answers with another status.

    `client_us` is what the load itself cost of processor time for each request. `decided_us` are the
    gate's times where the server tells them, each with the wait before it (tests/bench/timed_gate.py).
    """

    rate: float
    p50_ms: float
    p99_ms: float
    count: int
    wrong: int
    client_us: float
    decided_us: list[tuple[int, int]]


def message(method: str, path: str, host: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """A raw HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def run(target: Target, *, seconds: float, connections: int, most: int = 0) -> Sample:
    """Load `target` for `seconds`, or with `most` requests, from one other process."""
    receiving, sending = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(
        target=_drive, args=(target, seconds, connections, most, sending)
    )
    process.start()
    sending.close()
    try:
        latencies, wrong, took, cpu, decided = receiving.recv()
    finally:
        process.join()
    if not latencies:
        raise RuntimeError(f"No answer from port {target.port}")
    return Sample(
        rate=len(latencies) / took,
        p50_ms=rank(latencies, 0.5) * 1000,
        p99_ms=rank(latencies, 0.99) * 1000,
        count=len(latencies),
        wrong=wrong,
        client_us=cpu / len(latencies) * 1e6,
        decided_us=decided,
    )


def rank(values: Sequence[float], part: float) -> float:
    """The value below which `part` of them lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


@dataclass(slots=True)
class _Line:
    """One connection and what has come of its answer."""

    wire: socket.socket
    sent_at: float = 0.0
    data: bytearray = field(default_factory=bytearray)

    def has_answer(self) -> bool:
        end = self.data.find(b"\r\n\r\n")
        if end < 0:
            return False
        length = _LENGTH.search(self.data, 0, end + 2)
        return length is not None and len(self.data) >= end + 4 + int(length[1])


def _drive(
    target: Target,
    seconds: float,
    connections: int,
    most: int,
    sending: multiprocessing.connection.Connection,
) -> None:
    lines = [_connected(target.port) for _ in range(connections)]
    load = _Load(target, most)
    started, cpu = time.perf_counter(), time.process_time()
    with selectors.EpollSelector() as selector:
        for line in lines:
            selector.register(line.wire, selectors.EVENT_READ, line)
            load.send(line)
        while load.waiting:
            for key, _ in selector.select(_TIMEOUT_SECONDS) or _nothing():
                load.receive(key.data, goes_on=time.perf_counter() - started < seconds)
    took, cpu = time.perf_counter() - started, time.process_time() - cpu
    for line in lines:
        line.wire.close()
    sending.send((load.latencies, load.wrong, took, cpu, load.decided))


def _nothing() -> list[tuple[selectors.SelectorKey, int]]:
    raise TimeoutError("The server answers no more.")


def _connected(port: int) -> _Line:
    wire = socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_SECONDS)
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return _Line(wire)


class _Load:
    """What is sent next, and what came of what was sent."""

    def __init__(self, target: Target, most: int) -> None:
        self._target, self._most = target, most
        self._expected = f" {target.expected} ".encode()
        self._turn = self.waiting = self.wrong = 0
        self.latencies: list[float] = []
        self.decided: list[tuple[int, int]] = []

    def send(self, line: _Line) -> None:
        if self._most and self._turn >= self._most:
            return
        requests = self._target.requests
        line.data.clear()
        line.sent_at = time.perf_counter()
        line.wire.sendall(requests[self._turn % len(requests)])
        self._turn += 1
        self.waiting += 1

    def receive(self, line: _Line, *, goes_on: bool) -> None:
        more = line.wire.recv(262_144)
        if not more:
            raise ConnectionError("The server closed the connection.")
        line.data += more
        if not line.has_answer():
            return
        self.waiting -= 1
        self.latencies.append(time.perf_counter() - line.sent_at)
        self.wrong += self._expected not in line.data[:16]
        decided = _DECIDED.search(line.data)
        if decided:
            self.decided.append((int(decided[1]), int(decided[2])))
        if goes_on:
            self.send(line)


def read_body(receive: Callable[[int], bytes]) -> bytes:
    """The body of one answer with a Content-Length."""
    data = bytearray()
    while True:
        more = receive(262_144)
        if not more:
            raise ConnectionError("The server closed the connection.")
        data += more
        end = data.find(b"\r\n\r\n")
        length = _LENGTH.search(data, 0, end + 2) if end >= 0 else None
        if length is not None and len(data) >= end + 4 + int(length[1]):
            return bytes(data[end + 4 :])
