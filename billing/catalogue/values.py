"""Single values of a catalogue file: counts, amounts by currency, exact numbers."""

import re
from collections.abc import Collection, Iterator, Mapping
from fractions import Fraction
from typing import Any

CURRENCIES = ("USD", "EUR", "MXN", "CRC")
INTERVALS = ("month", "year")
UNLIMITED = "unlimited"
_DECIMAL = re.compile(r"\d+(\.\d{1,12})?")


def is_count(value: object, *, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def is_exact(value: object) -> bool:
    """A whole number from 0, or a decimal as text ("0.08"): a TOML float would not be exact."""
    return is_count(value, least=0) or (isinstance(value, str) and bool(_DECIMAL.fullmatch(value)))


def is_limit(value: object, *, least: int) -> bool:
    return value == UNLIMITED or is_count(value, least=least)


def is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def exact(amounts: Mapping[str, int | str]) -> dict[str, Fraction]:
    return {currency: Fraction(amount) for currency, amount in amounts.items()}


def limit(value: int | str) -> int | None:
    return None if isinstance(value, str) else value


def faults_of_table(table: object, keys: Collection[str], what: str) -> Iterator[str]:
    if not isinstance(table, dict):
        yield f"a table, {what}"
        return
    for unknown in sorted(set(table) - set(keys)):
        yield f"{unknown}: not a setting of {what}"


def faults_of_amounts(path: str, amounts: object, *, least: int = 1) -> Iterator[str]:
    """One whole amount for each currency, in minor units."""
    if not isinstance(amounts, dict) or set(amounts) != set(CURRENCIES):
        yield f"{path}: one amount for each of {', '.join(CURRENCIES)}"
    elif not all(is_count(amount, least=least) for amount in amounts.values()):
        yield f"{path}: whole minor units from {least}"


def faults_of_exact(path: str, amounts: object) -> Iterator[str]:
    """One exact amount for each currency, in minor units and parts of them."""
    if not isinstance(amounts, dict) or set(amounts) != set(CURRENCIES):
        yield f"{path}: one amount for each of {', '.join(CURRENCIES)}"
    elif not all(is_exact(amount) for amount in amounts.values()):
        yield f'{path}: minor units, whole or as a text like "0.08"'


def faults_of_prices(prices: Any) -> Iterator[str]:
    """Amounts by interval."""
    for interval in INTERVALS:
        yield from faults_of_amounts(interval, prices.get(interval))
