"""What is for sale: the plans as data (`plans.toml`), read and checked once, at the start."""

import tomllib
from functools import cache
from pathlib import Path

from billing.catalogue.metered import MeteredPrice
from billing.catalogue.reading import CatalogueInvalid, read
from billing.catalogue.shapes import (
    AddOnSpec,
    Catalogue,
    CouponSpec,
    CreditSpec,
    PlanSpec,
    PriceSpec,
    SeatPrice,
)
from billing.catalogue.values import CURRENCIES, INTERVALS
from config.needs import Feature, Meter

__all__ = [
    "CURRENCIES",
    "FREE",
    "INTERVALS",
    "AddOnSpec",
    "Catalogue",
    "CatalogueInvalid",
    "CouponSpec",
    "CreditSpec",
    "MeteredPrice",
    "PlanSpec",
    "PriceSpec",
    "SeatPrice",
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
def load() -> Catalogue:
    """The whole catalogue. Raises CatalogueInvalid, which stops the start."""
    with _FILE.open("rb") as file:
        return read(tomllib.load(file))


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
    return tuple((spec.key, spec.limits[meter]) for spec in plans())


def feature_ladder() -> dict[str, str]:
    """The cheapest plan that has each feature; a feature of no plan is not in it."""
    cheapest: dict[str, str] = {}
    for spec in plans():
        for feature in Feature:
            if feature in spec.features:
                cheapest.setdefault(feature.value, spec.key)
    return cheapest
