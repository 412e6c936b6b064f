"""HTTP/1.1 over sockets of our own, so cheap that two hundred clients leave the machine to the servers."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

_TIMEOUT_SECONDS = 60


class Broken(Exception):
    """The connection ended before the whole answer was there: nobody knows whether the work was done."""


class NotSent(Exception):
    """There is no server: the request was never sent."""


@dataclass(slots=True)
class Answer:
    """`headers` have lower-case names."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """Of a problem; empty where it is none."""
        if self.headers.get("content-type") != "application/problem+json":
            return ""
        return str(json.loads(self.body)["code"])


@dataclass(slots=True)
class Wish:
    """One request. `body` is sent as JSON."""

    method: str
    path: str
    host: str
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None

    def message(self, port: int) -> bytes:
        content = b"" if self.body is None else json.dumps(self.body).encode()
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: {self.host}:{port}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.body is not None:
            lines.append("Content-Type: application/json")
        lines.append(f"Content-Length: {len(content)}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


class Wire:
    """One client: it keeps its connection, and makes a new one after it broke."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, wish: Wish, *, is_fresh: bool = False) -> Answer:
        """The answer; on a connection made for it alone where `is_fresh`. Raises Broken, NotSent."""
        if is_fresh:
            self.close()
        reader, writer = await self._connected()
        try:
            writer.write(wish.message(self.port))
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                return await _read(reader)
        except (OSError, EOFError, TimeoutError) as error:
            self.close()
            raise Broken from error

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None or self._streams[0].at_eof():
            self.close()
            try:
                self._streams = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError as error:
                raise NotSent from error
        return self._streams

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None


async def _read(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {
        name.lower(): value.strip()
        for name, _, value in (line.partition(":") for line in head[1:] if line)
    }
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int((await reader.readline()).split(b";")[0], 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
    else:
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Answer(int(head[0].split()[1]), headers, body)
