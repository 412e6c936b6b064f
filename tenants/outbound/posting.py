"""One POST to one pinned address: no redirect, no proxy, no body read, and an end in ten seconds."""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from functools import cache

from tenants.outbound.addresses import Address, Target

SECONDS = 10.0


class PinnedConnection(http.client.HTTPConnection):
    """A connection to `address`, whatever the name resolves to now; TLS is checked against the name."""

    def __init__(self, target: Target, address: Address) -> None:
        super().__init__(target.host, target.port, timeout=SECONDS)
        self._target, self._address = target, address

    def connect(self) -> None:
        reached = socket.create_connection((str(self._address), self._target.port), SECONDS)
        self.sock = reached
        if self._target.scheme == "https":
            self.sock = _tls().wrap_socket(reached, server_hostname=self._target.host)


class SendFailed(Exception):
    """Nothing that counts as an answer came; the message is one word for the delivery's record."""


def send(target: Target, address: Address, body: bytes, headers: Mapping[str, str]) -> int:
    """POST `body`, and the status of the answer. Raises SendFailed.

    Of the answer only its head is read: its body could be anything, and nobody is shown it.
    """
    connection = PinnedConnection(target, address)
    ends_at = time.monotonic() + SECONDS
    # A time-out of a socket begins anew with each byte; this one ends the whole exchange.
    watch = threading.Timer(SECONDS, _cut, [connection])
    watch.daemon = True
    watch.start()
    try:
        connection.request(
            "POST",
            target.target,
            body=body,
            headers={
                "Host": target.host_header,
                "Content-Type": "application/json",
                "User-Agent": "Plaza-Webhooks/1",
                "Connection": "close",
                **headers,
            },
        )
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise SendFailed(_named(error)) from error
    finally:
        watch.cancel()
        connection.close()
    # Cut off in the middle of its head, an answer looks as if it had ended there.
    if time.monotonic() >= ends_at:
        raise SendFailed("timeout")
    return status


def _cut(connection: PinnedConnection) -> None:
    # Read once: the sender sets it to None when it closes.
    reached = connection.sock
    if reached is not None:
        try:
            reached.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


def _named(error: Exception) -> str:
    kinds: tuple[tuple[type[Exception], str], ...] = (
        (ssl.SSLCertVerificationError, "certificate"),
        (ssl.SSLError, "tls"),
        (TimeoutError, "timeout"),
        (ConnectionRefusedError, "connection_refused"),
    )
    return next((word for kind, word in kinds if isinstance(error, kind)), "connection")


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
