"""Where an API key may be used from: single addresses and networks, as its owners allow them."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from django.utils.translation import gettext as _

from config.errors import ValidationFailed
from tenants.address import UNKNOWN
from tenants.identity.refusals import ApiKeyAddressRefused

_Network = IPv4Network | IPv6Network


def networks_of(texts: Iterable[str]) -> list[str]:
    """Addresses and networks as CIDR (`192.0.2.7` -> `192.0.2.7/32`), each once. Raises ValidationFailed."""
    try:
        return sorted({str(ip_network(text.strip())) for text in texts})
    except ValueError as error:
        raise ValidationFailed(
            errors={"allowed_networks": [_("Addresses or networks, like 192.0.2.0/24.")]}
        ) from error


def refuse_elsewhere(allowed: Sequence[str], address: str) -> None:
    """Raise ApiKeyAddressRefused unless `address` lies in one of `allowed`; none at all is everywhere."""
    if allowed and not _is_within(address, tuple(allowed)):
        raise ApiKeyAddressRefused(address=address)


def _is_within(address: str, allowed: tuple[str, ...]) -> bool:
    # A request through a socket without a proxy's word comes from nowhere that could be allowed.
    return address != UNKNOWN and any(ip_address(address) in each for each in _parsed(allowed))


@lru_cache(maxsize=4_096)
def _parsed(allowed: tuple[str, ...]) -> tuple[_Network, ...]:
    return tuple(ip_network(each) for each in allowed)
