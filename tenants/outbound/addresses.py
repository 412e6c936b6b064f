"""Addresses that tenants give us: read strictly, resolved by us, public, and pinned.

Only one spelling of each thing is read. What browsers and C libraries accept besides (`127.1`,
`0x7f000001`, `2130706433`, `①②⑦.0.0.1`, a backslash, an `@`) is refused and never interpreted, since
two readers of one address are how such guards are passed.
"""

import ipaddress
import re
from dataclasses import dataclass

import dns.exception
import dns.resolver
import idna
from django.conf import settings
from django.utils.translation import gettext as _

from config.errors import ValidationFailed
from tenants.domains import resolver
from tenants.hosts import is_host_name

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
LONGEST_URL = 2_000
_RESOLVE_SECONDS = 4.0
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[^\s/?#@:\\\[\]%]+)(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<target>(?:/[!-\"$-\[\]-~]*)?)",
)
_PORTS = {"http": 80, "https": 443}
_PRIVATE_NAMES = frozenset(
    {"localhost", "local", "internal", "intranet", "lan", "home", "corp", "onion", "arpa", "test"}
)
# Everything of IPv4 that is no public host of somebody (IANA's special-purpose registry), and the
# address at which Azure's machines ask their host.
_SPECIAL_V4 = [
    ipaddress.IPv4Network(each)
    for each in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32"),
        *("169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24"),
        *("192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24"),
        *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    )
]
# Of IPv6 only what is given out to networks, less what carries an IPv4 address or is for documents.
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_SPECIAL_V6 = [
    ipaddress.IPv6Network(each)
    for each in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
]
_LOOPBACK = [ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")]


class AddressRefused(Exception):
    """The address is none that we send to; the message says why, in one word."""


class NameServersSilent(Exception):
    """Whether the name has an address is not known now."""


@dataclass(frozen=True, slots=True)
class Target:
    """An address as we read it. `host` is a lower-case ASCII name, or an IP address without brackets."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def host_header(self) -> str:
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == _PORTS[self.scheme] else f"{name}:{self.port}"


def read_url(text: str) -> Target:
    """The parts of `text`. Raises AddressRefused for anything but a plain http(s) URL of a public host."""
    found = _URL.fullmatch(text) if len(text) <= LONGEST_URL else None
    if found is None:
        raise AddressRefused("malformed")
    scheme = found["scheme"]
    if scheme == "http" and settings.IS_PRODUCTION:
        raise AddressRefused("not_https")
    port = int(found["port"] or _PORTS[scheme])
    # Mail, databases and the like speak on the lower ports, and some of them take HTTP for commands.
    if port not in {80, 443} and not 1_024 <= port <= 65_535:
        raise AddressRefused("port")
    return Target(scheme, _host(found["host"]), port, found["target"] or "/")


def _host(text: str) -> str:
    address = _literal(text)
    if address is not None:
        if not is_allowed(address):
            raise AddressRefused("not_public")
        return str(address)
    try:
        name = (
            idna.encode(text, uts46=False).decode("ascii") if not text.isascii() else text.lower()
        )
    except (idna.IDNAError, UnicodeError) as error:
        raise AddressRefused("malformed") from error
    labels = name.split(".")
    if not is_host_name(name) or labels[-1].isdecimal() or labels[-1].startswith("0x"):
        raise AddressRefused("malformed")
    if name == "localhost" and settings.PLAZA_WEBHOOKS_TO_LOOPBACK:
        return name
    if len(labels) < 2 or labels[-1] in _PRIVATE_NAMES or _is_ours(name):
        raise AddressRefused("not_public")
    return name


def _literal(text: str) -> Address | None:
    """An IP address in its one canonical spelling; None for a name."""
    try:
        address = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None
    if (address.version == 6) != text.startswith("["):
        raise AddressRefused("malformed")
    return address


def _is_ours(name: str) -> bool:
    return name == settings.PLAZA_DOMAIN or name.endswith(f".{settings.PLAZA_DOMAIN}")


def is_allowed(address: Address) -> bool:
    """Whether we send there: a public address, or this machine where PLAZA_WEBHOOKS_TO_LOOPBACK says so."""
    if settings.PLAZA_WEBHOOKS_TO_LOOPBACK and any(address in network for network in _LOOPBACK):
        return True
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _SPECIAL_V4)
    return address in _GLOBAL_V6 and not any(address in network for network in _SPECIAL_V6)


def resolve(target: Target) -> Address:
    """The one address to connect to. Every address of the name must be allowed, not only the first.

    Raises AddressRefused, and NameServersSilent where it is not known.
    """
    if target.host == "localhost":
        return ipaddress.IPv4Address("127.0.0.1")
    literal = _literal(f"[{target.host}]" if ":" in target.host else target.host)
    addresses = [literal] if literal is not None else _looked_up(target.host)
    if not addresses:
        raise AddressRefused("no_address")
    if not all(is_allowed(address) for address in addresses):
        raise AddressRefused("not_public")
    return addresses[0]


def _looked_up(name: str) -> list[Address]:
    """IPv4 first. Asked of name servers alone: neither the machine's hosts file nor its search list."""
    found: list[Address] = []
    for kind in ("A", "AAAA"):
        try:
            answer = resolver().resolve(f"{name}.", kind, search=False, lifetime=_RESOLVE_SECONDS)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            continue
        except dns.exception.DNSException as error:
            raise NameServersSilent from error
        found += [ipaddress.ip_address(record.address) for record in answer]
    return found


def check_url(text: str) -> str:
    """`text`, if it may be registered. Raises ValidationFailed. The name is resolved at each delivery."""
    try:
        read_url(text)
    except AddressRefused as refused:
        message = _REASONS[str(refused)]()
        raise ValidationFailed(errors={"url": [message]}) from refused
    return text


_REASONS = {
    "malformed": lambda: _(
        "A URL like https://example.com/hooks, without user, password and fragment."
    ),
    "not_https": lambda: _("The address must begin with https://."),
    "port": lambda: _("The port is 80, 443, or 1024 and above."),
    "not_public": lambda: _("The address must be on the public internet, and not ours."),
}
