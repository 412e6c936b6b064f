"""Ids, moments and money as PayPal writes them."""

import secrets
import string
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.standins.paypal.errors import invalid
from tests.standins.store import Json

_LETTERS = string.ascii_uppercase + string.digits
# developer.paypal.com/docs/reports/reference/paypal-supported-currencies
CURRENCIES = frozenset(
    [
        "AUD",
        "BRL",
        "CAD",
        "CNY",
        "CZK",
        "DKK",
        "EUR",
        "HKD",
        "HUF",
        "ILS",
        "JPY",
        "MYR",
        "MXN",
        "TWD",
        "NZD",
        "NOK",
        "PHP",
        "PLN",
        "GBP",
        "SGD",
        "SEK",
        "CHF",
        "THB",
        "USD",
    ]
)
_WITHOUT_DECIMALS = frozenset(("HUF", "JPY", "TWD"))


_PAYER_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # account_id's pattern: no 0, 1, I, O


def new_payer_id() -> str:
    return "".join(secrets.choice(_PAYER_LETTERS) for _ in range(13))


def new_id(prefix: str, length: int) -> str:
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(length))


def moment(at: int) -> str:
    """Unix seconds -> 2026-11-21T04:43:00Z."""
    return datetime.fromtimestamp(at, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(text: str, *, field: str) -> int:
    """A moment of a request -> Unix seconds; 400 when it is none, or has no time zone."""
    try:
        read = datetime.fromisoformat(text.upper())
    except ValueError:
        raise invalid(field) from None
    if read.tzinfo is None:
        raise invalid(field)
    return int(read.timestamp())


def money(value: Decimal, currency: str) -> Json:
    places = Decimal(1) if currency in _WITHOUT_DECIMALS else Decimal("0.01")
    rounded = value.quantize(places, rounding=ROUND_HALF_UP)
    return {"currency_code": currency, "value": str(rounded)}


def amount(given: Any, *, field: str) -> Decimal:
    """The value of a money object; 400 for a currency that PayPal does not take."""
    if given["currency_code"] not in CURRENCIES:
        raise invalid(f"{field}/currency_code")
    return Decimal(given["value"])


def bare(body: Json) -> Json:
    """Without the stand-in's own notes, which are kept under names that begin with `_`."""
    return {key: value for key, value in body.items() if not key.startswith("_")}
