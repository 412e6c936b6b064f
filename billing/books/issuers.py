"""Who issues: the sellers of `issuers.toml`, or of ISSUERS_FILE, by the buyer's country."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from billing.catalogue.values import is_text

_FILE = Path(__file__).with_name("issuers.toml")
_KEYS = {"name", "tax_id", "address", "country", "prefix", "serves"}
_COUNTRY, _PREFIX = re.compile(r"[A-Z]{2}"), re.compile(r"[A-Z0-9]{1,10}")


class IssuersInvalid(ImproperlyConfigured):
    """The table of issuers breaks its own rules; the message names each place."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """A seller. Its invoices are `<prefix>-000001`, its credit notes `<prefix>-CN-000001`."""

    key: str
    name: str
    country: str
    prefix: str
    tax_id: str = ""
    address: str = ""
    serves: tuple[str, ...] = ()

    def facts(self) -> dict[str, Any]:
        """What of it stands on an invoice."""
        told = asdict(self)
        return {name: told[name] for name in ("name", "tax_id", "address", "country")}


def issuer_for(country: str) -> Issuer:
    """Who bills a buyer of this country."""
    return next((each for each in issuers() if country in each.serves), issuers()[0])


def issuer_named(key: str) -> Issuer:
    """Who has issued under `key` before. Raises KeyError."""
    return {each.key: each for each in issuers()}[key]


@cache
def issuers() -> tuple[Issuer, ...]:
    """All of them, the first is everybody's. Raises IssuersInvalid, which stops the start."""
    path = Path(settings.ISSUERS_FILE or _FILE)
    try:
        with path.open("rb") as file:
            return read(tomllib.load(file))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise IssuersInvalid(f"The issuers in {path} cannot be read: {error}") from error


def read(tables: Mapping[str, Any]) -> tuple[Issuer, ...]:
    """The issuers of a parsed file, in its order. Raises IssuersInvalid."""
    faults = [f"{key}: {fault}" for key, table in tables.items() for fault in _faults(table)]
    faults += [] if tables else ["one issuer at least"]
    faults += [] if faults else _faults_of_all(tables)
    if faults:
        raise IssuersInvalid("The table of issuers is not valid: " + "; ".join(faults))
    return tuple(
        Issuer(key=key, **{**table, "serves": tuple(table.get("serves", ()))})
        for key, table in tables.items()
    )


def _faults(table: object) -> Iterator[str]:
    if not isinstance(table, dict) or not {"name", "country", "prefix"} <= set(table) <= _KEYS:
        yield f"a table of {', '.join(sorted(_KEYS))}"
        return
    if not is_text(table["name"]):
        yield "name: a text"
    if not all(isinstance(table.get(name, ""), str) for name in ("tax_id", "address")):
        yield "tax_id, address: texts"
    serves = table.get("serves", [])
    countries = [table["country"], *(serves if isinstance(serves, list) else [""])]
    if not all(_is(_COUNTRY, each) for each in countries):
        yield "country, serves: two capital letters each (ISO 3166)"
    if not _is(_PREFIX, table["prefix"]):
        yield "prefix: one to ten capital letters and digits"


def _faults_of_all(tables: Mapping[str, Any]) -> list[str]:
    """Two issuers would write the same number, or bill the same buyers."""
    prefixes = Counter(table["prefix"] for table in tables.values())
    served = Counter(each for table in tables.values() for each in table.get("serves", []))
    return [
        f"{name} {each}: of one issuer alone"
        for name, counted in (("prefix", prefixes), ("serves", served))
        for each, times in counted.items()
        if times > 1
    ]


def _is(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
