"""The client's address: what the connection says, unless a trusted proxy of ours says better.

`X-Forwarded-For` is read from the right, as far as the addresses in it are trusted proxies
(PLAZA_TRUSTED_PROXIES: addresses or networks). What stands further left was written by the client.
"""

from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest

UNKNOWN = "unknown"
Address = IPv4Address | IPv6Address


def address_of(request: HttpRequest) -> str:
    """The client's address in its usual spelling; "unknown" on a Unix socket without a proxy's word.

    When a trusted proxy forwards something that is no address, the answer is the proxy's own.
    """
    nearest = _parsed(request.META.get("REMOTE_ADDR", ""))
    trusted = _networks(tuple(settings.PLAZA_TRUSTED_PROXIES))
    # A Unix socket has no address: who may write to it is decided by the file's mode.
    if nearest is not None and not _is_in(nearest, trusted):
        return str(nearest)
    if nearest is None and not trusted:
        return UNKNOWN
    for entry in reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")):
        found = _parsed(entry)
        if found is None:
            break
        nearest = found
        if not _is_in(found, trusted):
            break
    return UNKNOWN if nearest is None else str(nearest)


def is_from_outside(request: HttpRequest) -> bool:
    """Whether a request came from outside of our own network: by its address, or through any proxy.

    For what only our own machines may ask of this very process: whatever came through a proxy came
    from outside.
    """
    address = address_of(request)
    is_global = address != UNKNOWN and ip_address(address).is_global
    return is_global or not {"X-Forwarded-For", "Forwarded"}.isdisjoint(request.headers)


def block_of(address: str) -> str:
    """What to count against: an IPv4 address, or the /64 of an IPv6 one, which one customer owns."""
    found = _parsed(address)
    if isinstance(found, IPv6Address):
        return str(ip_network((found, 64), strict=False))
    return address


def _parsed(text: str) -> Address | None:
    """An address, also with a port or in brackets; an IPv4 one in IPv6's clothes is IPv4."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _is_in(address: Address, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    return any(address in network for network in networks)


@cache
def _networks(named: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(name, strict=False) for name in named)
    except ValueError as error:
        raise ImproperlyConfigured(f"PLAZA_TRUSTED_PROXIES: {error}") from error
