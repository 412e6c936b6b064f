"""A bounded closed-loop load over keep-alive sockets: cheap, so that the servers are what is measured."""

import multiprocessing
import multiprocessing.connection
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Thread

_TIMEOUT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send: each connection takes the next of `requests` (raw HTTP/1.1 messages), round and round."""

    port: int
    requests: Sequence[bytes]
    expected: int


@dataclass(frozen=True, slots=True)
class Sample:
    """One slice: requests a second, latencies in milliseconds, and answers with another status."""

    rate: float
    p50_ms: float
    p99_ms: float
    count: int
    wrong: int


def message(method: str, path: str, host: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """A raw HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def run(target: Target, *, seconds: float, connections: int) -> Sample:
    """Load `target` for `seconds` from one other process with `connections` threads."""
    receiving, sending = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(
        target=_drive, args=(target, seconds, connections, sending)
    )
    process.start()
    sending.close()
    try:
        latencies, wrong, took = receiving.recv()
    finally:
        process.join()
    latencies.sort()
    if not latencies:
        raise RuntimeError(f"No answer from port {target.port}")
    return Sample(
        rate=len(latencies) / took,
        p50_ms=latencies[len(latencies) // 2] * 1000,
        p99_ms=latencies[min(len(latencies) - 1, int(len(latencies) * 0.99))] * 1000,
        count=len(latencies),
        wrong=wrong,
    )


def _drive(
    target: Target, seconds: float, connections: int, sending: multiprocessing.connection.Connection
) -> None:
    latencies: list[float] = []
    wrong: list[int] = []
    stop_at = time.perf_counter() + seconds
    threads = [
        Thread(target=_one_connection, args=(target, number, stop_at, latencies, wrong))
        for number in range(connections)
    ]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sending.send((latencies, len(wrong), time.perf_counter() - started))


def _one_connection(
    target: Target, number: int, stop_at: float, latencies: list[float], wrong: list[int]
) -> None:
    expected = f" {target.expected} ".encode()
    with socket.create_connection(("127.0.0.1", target.port), timeout=_TIMEOUT_SECONDS) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        turn = number * 7919
        while (before := time.perf_counter()) < stop_at:
            wire.sendall(target.requests[turn % len(target.requests)])
            head = _read_answer(wire.recv)
            latencies.append(time.perf_counter() - before)
            if expected not in head[:16]:
                wrong.append(1)
            turn += 1


def _read_answer(receive: Callable[[int], bytes]) -> bytes:
    """Read one answer with a Content-Length; return its first line."""
    return _whole_answer(receive)[:20]


def read_body(receive: Callable[[int], bytes]) -> bytes:
    """The body of one answer with a Content-Length."""
    return _whole_answer(receive).partition(b"\r\n\r\n")[2]


def _whole_answer(receive: Callable[[int], bytes]) -> bytes:
    data = receive(65536)
    while (end := data.find(b"\r\n\r\n")) < 0:
        more = receive(65536)
        if not more:
            raise ConnectionError("closed in the head")
        data += more
    head = data[:end].lower()
    at = head.index(b"content-length:")
    length = int(head[at + 15 :].split(b"\r\n", 1)[0])
    missing = length - (len(data) - end - 4)
    parts = [data]
    while missing > 0:
        more = receive(65536)
        if not more:
            raise ConnectionError("closed in the body")
        parts.append(more)
        missing -= len(more)
    return b"".join(parts)
