"""What tenants' addresses answer, through `requests`: a public host, pinned, no redirect, no proxy, 1 MiB, ten seconds."""

import time
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from requests import PreparedRequest, RequestException, Response
from requests.adapters import HTTPAdapter

from tenants.outbound.addresses import AddressRefused, NameServersSilent, read_url, resolve

LARGEST_ANSWER = 1 << 20
_SECONDS = 10.0
_CHUNK = 1 << 14


class GuardRefused(RequestException):
    """The address, or its answer, is none that we take; the message says why, in one word."""


class GuardedAdapter(HTTPAdapter):
    """For one session: each request goes to the address that was looked up and checked for it."""

    def send(self, request: PreparedRequest, *args: Any, **options: Any) -> Response:
        """Raises GuardRefused, and what `requests` raises where nothing answers in time."""
        target, address = _reached(str(request.url))
        parts = urlsplit(str(request.url))
        name = f"[{address}]" if ":" in address else address
        request.url = urlunsplit(parts._replace(netloc=f"{name}:{target.port}"))
        request.headers["Host"] = target.host_header
        if target.scheme == "https":
            # TLS is checked against the name, whatever address it is reached at.
            checked = {"server_hostname": target.host, "assert_hostname": target.host}
            self.poolmanager.connection_pool_kw.update(checked)
        options |= {"stream": True, "timeout": _SECONDS, "proxies": None}
        answer = super().send(request, *args, **options)
        if answer.is_redirect:
            answer.close()
            raise GuardRefused("redirect")
        answer._content = _body(answer)  # noqa: SLF001 - as `requests` keeps what is read
        return answer


def _reached(url: str) -> tuple[Any, str]:
    try:
        target = read_url(url)
        return target, str(resolve(target))
    except AddressRefused as refused:
        raise GuardRefused(str(refused)) from refused
    except NameServersSilent as silent:
        raise GuardRefused("name_servers") from silent


def _body(answer: Response) -> bytes:
    ends_at, body = time.monotonic() + _SECONDS, bytearray()
    for chunk in answer.iter_content(_CHUNK):
        body += chunk
        if len(body) > LARGEST_ANSWER:
            answer.close()
            raise GuardRefused("too_large")
        # A time-out of a socket begins anew with each byte; this one ends the whole answer.
        if time.monotonic() > ends_at:
            answer.close()
            raise GuardRefused("timeout")
    return bytes(body)
