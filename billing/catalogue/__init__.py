"""What is for sale: the plans as data (`plans.toml`), read and checked once, at the start."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from billing.catalogue.metered import MeteredPrice
from billing.catalogue.reading import CatalogueInvalid, read
from billing.catalogue.shapes import (
    AddOnSpec,
    Amounts,
    Catalogue,
    CouponSpec,
    CreditSpec,
    PlanSpec,
    PriceSpec,
    SeatPrice,
)
from billing.catalogue.values import CURRENCIES, INTERVALS
from config.needs import Meter

__all__ = [
    "CURRENCIES",
    "FREE",
    "INTERVALS",
    "AddOnSpec",
    "Amounts",
    "Catalogue",
    "CatalogueInvalid",
    "CouponSpec",
    "CreditSpec",
    "MeteredPrice",
    "PlanSpec",
    "PriceSpec",
    "SeatPrice",
    "contents",
    "feature_ladder",
    "ladder",
    "load",
    "plan",
    "plans",
    "version",
]

FREE = "free"
_FILE = Path(__file__).with_name("plans.toml")


@cache
def contents() -> dict[str, Any]:
    """The file as it is, parsed."""
    with _FILE.open("rb") as file:
        return tomllib.load(file)


@cache
def load() -> Catalogue:
    """The whole catalogue. Raises CatalogueInvalid, which stops the start."""
    return read(contents())


def version() -> int:
    return load().version


def plans() -> tuple[PlanSpec, ...]:
    """Every plan in order of price."""
    return load().plans


def plan(key: str) -> PlanSpec:
    """The plan named `key`. Raises KeyError."""
    return load().plan(key)


def ladder(meter: Meter) -> tuple[tuple[str, int | None], ...]:
    """What each plan allows of `meter`, in order of price: ((plan, limit or None), …)."""
    return load().ladder(meter)


def feature_ladder() -> dict[str, str]:
    """The cheapest plan that has each feature; a feature of no plan is not in it."""
    return load().feature_ladder()
