"""The plans as a table of the docs, made from the catalogue itself."""

from typing import Any

from billing import catalogue
from billing.catalogue.shapes import PlanSpec
from config.needs import Feature, Meter


def plan_table() -> list[list[str]]:
    """A header and one row for each plan, as plain text cells; amounts in major units of USD."""
    header = ["plan", "USD a month", *(meter.value for meter in Meter), "requests", "adds"]
    rows, below = [header], frozenset[Feature]()
    for spec in catalogue.plans():
        rows.append(_row(spec, below))
        below = spec.features
    return rows


def _row(spec: PlanSpec, below: frozenset[Feature]) -> list[str]:
    price = spec.price(currency="USD", interval="month")
    requests, seconds = spec.rates["tenant"]
    return [
        spec.key,
        f"{price.amount_minor / 100:,.2f}" if price else "0",
        *(_count(spec.limits[meter]) for meter in Meter),
        f"{requests:,} in {seconds} s",
        ", ".join(sorted(spec.features - below)) or "-",
    ]


def _count(limit: int | None) -> str:
    return "unlimited" if limit is None else f"{limit:,}"


def describe_plans(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's hook: put the table of plans into the document, as data."""
    result["info"]["x-plans"] = plan_table()
    return result
