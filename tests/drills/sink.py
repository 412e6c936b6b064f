"""A mail server that counts: how often each address was written to, and nothing else is kept."""

import json
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from tests.standins.faults import Faults
from tests.standins.mail.smtp import SmtpServer


class Sink:
    """`letters` by address; `url` is what EMAIL_URL says."""

    def __init__(self) -> None:
        self.letters: Counter[str] = Counter()
        self._server = SmtpServer(host="127.0.0.1", port=0, keep=self._keep, faults=Faults())

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self._server.port}"

    @contextmanager
    def running(self) -> Iterator["Sink"]:
        self._server.start()
        try:
            yield self
        finally:
            self._server.stop()

    def _keep(self, _sender: str, recipients: list[str], _raw: bytes) -> None:
        self.letters.update(recipients)


def main() -> None:
    """As a process of its own: says where it listens, and at its end, as JSON, how often each was written to."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with Sink().running() as sink:
        print(sink.url, flush=True)
        try:
            signal.pause()
        finally:
            print(json.dumps(sink.letters), flush=True)


if __name__ == "__main__":
    main()
