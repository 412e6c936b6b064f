"""Who issues: the sellers of `issuers.toml`, by the buyer's country."""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("issuers.toml")


@dataclass(frozen=True, slots=True)
class Issuer:
    """A seller. Its invoices are `<prefix>-000001`, its credit notes `<prefix>-CN-000001`."""

    key: str
    name: str
    tax_id: str
    address: str
    country: str
    prefix: str
    serves: tuple[str, ...] = ()

    def facts(self) -> dict[str, Any]:
        """What of it stands on an invoice."""
        told = asdict(self)
        return {name: told[name] for name in ("name", "tax_id", "address", "country")}


def issuer_for(country: str) -> Issuer:
    """Who bills a buyer of this country."""
    issuers = _issuers()
    return next((each for each in issuers if country in each.serves), issuers[0])


def issuer_named(key: str) -> Issuer:
    """Who has issued under `key` before. Raises KeyError."""
    return {each.key: each for each in _issuers()}[key]


@cache
def _issuers() -> tuple[Issuer, ...]:
    with _FILE.open("rb") as file:
        return read(tomllib.load(file))


def read(tables: Mapping[str, Mapping[str, Any]]) -> tuple[Issuer, ...]:
    """The issuers of a parsed file, in its order."""
    return tuple(
        Issuer(key=key, **{**table, "serves": tuple(table.get("serves", ()))})
        for key, table in tables.items()
    )
