"""The plans as tables of the docs, made from the catalogue itself; amounts in USD, for a month."""

from typing import Any

from billing import catalogue
from billing.catalogue.metered import MeteredPrice, PriceModel, Tier
from billing.catalogue.shapes import PlanSpec
from config.needs import Feature, Meter

_OF = {"currency": "USD", "interval": "month"}
_HUNDREDTHS = 100


def plan_table() -> list[list[str]]:
    """A header and one row for each plan, as plain text cells; amounts in major units of USD."""
    header = ["plan", "USD a month", *(meter.value for meter in Meter), "requests", "adds"]
    rows, below = [[*header, "a seat more"]], frozenset[Feature]()
    for spec in catalogue.plans():
        rows.append(_row(spec, below))
        below = spec.features
    return rows


def _row(spec: PlanSpec, below: frozenset[Feature]) -> list[str]:
    price = spec.price(**_OF)
    requests, seconds = spec.rates["tenant"]
    return [
        spec.key,
        _major(price.amount_minor) if price else "0",
        *(_count(spec.limits[meter]) for meter in Meter),
        f"{requests:,} in {seconds} s",
        ", ".join(sorted(spec.features - below)) or "-",
        _major(spec.seats.amounts.amount_minor(**_OF)) if spec.seats else "-",
    ]


def usage_table() -> list[list[str]]:
    """A header and one row for each plan and meter whose use above the limit is billed; in cents."""
    rows = [["plan", "meter", "included", "model", "US cents above"]]
    for spec in catalogue.plans():
        for meter, price in spec.metered.items():
            included = f"{price.included:,}"
            rows.append([spec.key, meter.value, included, price.model.value, _told(price)])
    return rows


def _told(price: MeteredPrice) -> str:
    if price.model is PriceModel.PERCENTAGE:
        return f"{float(price.share * _HUNDREDTHS):g} %"
    for_so_many = f" for {price.size:,}" if price.model is PriceModel.PACKAGE else ""
    return ", ".join(_tier(tier) + for_so_many for tier in price.tiers)


def _tier(tier: Tier) -> str:
    unit = f"{float(tier.unit['USD']):g}"
    return unit if tier.up_to is None else f"{unit} up to {tier.up_to:,}"


def _major(minor: int) -> str:
    return f"{minor / _HUNDREDTHS:,.2f}"


def _count(limit: int | None) -> str:
    return "unlimited" if limit is None else f"{limit:,}"


def describe_plans(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's hook: put the tables into the document, as data."""
    result["info"] |= {"x-plans": plan_table(), "x-usage-prices": usage_table()}
    return result
