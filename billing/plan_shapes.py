"""How the catalogue looks from outside: plans with seats, use above their limits and add-ons."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from billing.catalogue import AddOnSpec, Amounts, Catalogue, MeteredPrice, PlanSpec
from billing.catalogue.metered import Tier
from billing.catalogue.words import add_on_name
from config.needs import Meter
from quotas.words import meter_name


def catalogue_answer(catalogue: Catalogue) -> dict[str, Any]:
    """All that everybody may see: every plan in order of price. Codes are told to whom they are meant for.

    Names of meters and add-ons are in the language that is active; a plan's is its brand.
    """
    return {
        "version": catalogue.version,
        "results": [plan_answer(spec, catalogue) for spec in catalogue.plans],
        "next": None,
        "previous": None,
    }


def plan_answer(spec: PlanSpec, catalogue: Catalogue) -> dict[str, Any]:
    """One plan. A limit of null is unlimited; amounts are minor units, of a unit exactly and as text."""
    return {
        "key": spec.key,
        "name": spec.name,
        "trial_days": spec.trial_days,
        "features": sorted(feature.value for feature in spec.features),
        "limits": {meter.value: spec.limits[meter] for meter in Meter},
        "rates": {
            scope: {"requests": requests, "seconds": seconds}
            for scope, (requests, seconds) in spec.rates.items()
        },
        "prices": [
            {"interval": price.interval, "price": _money(price.amount_minor, price.currency)}
            for price in spec.prices
        ],
        "seats": _seats(spec),
        "metered": [_metered(price) for price in spec.metered.values()],
        "add_ons": [_add_on(each) for each in catalogue.add_ons.values() if spec.key in each.plans],
    }


def _money(amount: int, currency: str) -> dict[str, Any]:
    return {"amount": amount, "currency": currency}


def _by_currency(amounts: Mapping[str, int]) -> list[dict[str, Any]]:
    return [_money(amount, currency) for currency, amount in amounts.items()]


def _prices(amounts: Amounts) -> list[dict[str, Any]]:
    return [
        {"interval": interval, "price": _money(amount, currency)}
        for (interval, currency), amount in amounts.by.items()
    ]


def _seats(spec: PlanSpec) -> dict[str, Any]:
    """`most` of null is no limit; no `prices`: no more than the included ones can be had."""
    return {
        "included": spec.limits[Meter.SEATS],
        "most": spec.most_seats,
        "prices": _prices(spec.seats.amounts) if spec.seats else [],
    }


def _metered(price: MeteredPrice) -> dict[str, Any]:
    return {
        "meter": price.meter.value,
        "name": meter_name(price.meter.value),
        "model": price.model.value,
        "included": price.included,
        "size": price.size,
        "percent": exact_text(price.share * 100) if price.share else None,
        "tiers": [_tier(tier) for tier in price.tiers],
        "minimum": _by_currency(price.minimum),
    }


def _tier(tier: Tier) -> dict[str, Any]:
    """`up_to` counts from the first billed unit; null are all others."""
    return {
        "up_to": tier.up_to,
        "unit": [
            {"amount_decimal": exact_text(amount), "currency": currency}
            for currency, amount in tier.unit.items()
        ],
        "flat": _by_currency(tier.flat),
    }


def exact_text(value: Fraction) -> str:
    """`0.0744`: the catalogue's numbers are decimals of at most 12 places."""
    digits = f"{int(value * 10**12):013d}"
    return f"{digits[:-12]}.{digits[-12:]}".rstrip("0").rstrip(".")


def _add_on(spec: AddOnSpec) -> dict[str, Any]:
    return {
        "key": spec.key,
        "name": add_on_name(spec.name),
        "most": spec.most,
        "adds": {meter.value: units for meter, units in spec.adds.items()},
        "features": sorted(feature.value for feature in spec.features),
        "prices": _prices(spec.amounts),
    }
