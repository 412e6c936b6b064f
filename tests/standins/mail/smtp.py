"""The SMTP side: takes every mail on loopback, or refuses as the faults have it."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.standins.faults import Faults

LARGEST_MAIL_BYTES = 32 * 1024 * 1024

Keep = Callable[[str, list[str], bytes], None]


class _Handler:
    """aiosmtpd's hooks. `keep` takes sender, recipients and the raw mail."""

    def __init__(self, keep: Keep, faults: Faults) -> None:
        self._keep = keep
        self._faults = faults

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802
        delay = self._faults.take("latency", method="SMTP")
        if delay is not None:
            await asyncio.sleep(delay.seconds)
        fault = self._faults.take("error", method="SMTP")
        if fault is not None:
            return f"{fault.status} Refused by order of a test"
        content = envelope.content
        raw = content.encode() if isinstance(content, str) else bytes(content or b"")
        self._keep(envelope.mail_from or "", list(envelope.rcpt_tos), raw)
        return "250 OK"


class SmtpServer:
    """aiosmtpd in a thread with a loop of its own; `start` returns once it listens."""

    def __init__(self, *, host: str, port: int, keep: Keep, faults: Faults) -> None:
        self._host = host
        self.port = port
        self._handler = _Handler(keep, faults)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: Any = None

    def start(self) -> None:
        """Raises OSError when the port is taken."""
        self._thread.start()
        listening = asyncio.run_coroutine_threadsafe(self._listen(), self._loop)
        self._server = listening.result(timeout=10)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _listen(self) -> Any:
        return await self._loop.create_server(self._protocol, self._host, self.port)

    def _protocol(self) -> SMTP:
        return SMTP(
            self._handler,
            data_size_limit=LARGEST_MAIL_BYTES,
            enable_SMTPUTF8=True,
            hostname="localhost",
            loop=self._loop,
        )

    def stop(self) -> None:
        if self._server is not None:
            self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=2)
