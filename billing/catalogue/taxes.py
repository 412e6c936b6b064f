"""Taxes by country (`taxes.toml`), each rate from its day on."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from billing.catalogue.values import is_exact

_FILE = Path(__file__).with_name("taxes.toml")
MILLION = 1_000_000
_GROUPS = ("eu", "others")


class TaxTableInvalid(ImproperlyConfigured):
    """The table of taxes breaks its own rules; the message names each place."""


@dataclass(frozen=True, slots=True)
class CountryTax:
    """`rates` are (first day, millionths), in order of their days; 160_000 is 16 %."""

    country: str
    key: str
    is_eu: bool
    rates: tuple[tuple[date, int], ...]

    def rate_millionths(self, on: date) -> int | None:
        """None before the first day."""
        held = [rate for since, rate in self.rates if since <= on]
        return held[-1] if held else None


@dataclass(frozen=True, slots=True)
class TaxTable:
    """By country (ISO 3166, two letters). A country that is not in it is not taxed."""

    countries: Mapping[str, CountryTax]

    def state_of(self, vat_id: str) -> str:
        """The EU member state that a VAT id names by its first two letters; empty for no state."""
        # Greece writes EL.
        country = vat_id[:2].upper().replace("EL", "GR")
        found = self.countries.get(country)
        return country if found and found.is_eu else ""


@cache
def tax_table() -> TaxTable:
    """The table of the file. Raises TaxTableInvalid, which stops the start."""
    with _FILE.open("rb") as file:
        return read(tomllib.load(file))


def read(data: Mapping[str, Any]) -> TaxTable:
    """`{eu: {DE: {…}}, others: {MX: {…}}}`. Raises TaxTableInvalid."""
    faults = [f"{group}: eu or others" for group in data if group not in _GROUPS]
    faults += [
        f"{group}: a table of countries"
        for group, countries in data.items()
        if not isinstance(countries, dict)
    ]
    faults += [
        f"{group}.{country}: {fault}"
        for group, countries in data.items()
        if isinstance(countries, dict)
        for country, table in countries.items()
        for fault in _faults(country, table)
    ]
    if faults:
        raise TaxTableInvalid("The table of taxes is not valid: " + "; ".join(faults))
    return TaxTable(
        {
            country: CountryTax(country, table["key"], group == "eu", tuple(_rates(table)))
            for group, countries in data.items()
            for country, table in countries.items()
        }
    )


def _rates(table: Mapping[str, Any]) -> Iterator[tuple[date, int]]:
    for step in table["rates"]:
        yield step["since"], int(Fraction(step["percent"]) * MILLION / 100)


def _faults(country: str, table: Any) -> Iterator[str]:
    if len(country) != 2 or not country.isupper():
        yield "two capital letters"
    steps = table.get("rates") if isinstance(table, dict) else None
    if not (isinstance(steps, list) and steps and set(table) == {"key", "rates"}) or not all(
        map(_is_step, steps)
    ):
        yield "{ key, rates = [{ since, percent }] }, percents exact"
    elif any(before["since"] >= after["since"] for before, after in pairwise(steps)):
        yield "rates: each day after the one before"


def _is_step(step: Any) -> bool:
    is_whole = (
        isinstance(step, dict) and set(step) == {"since", "percent"} and is_exact(step["percent"])
    )
    return is_whole and type(step["since"]) is date
