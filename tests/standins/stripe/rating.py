"""What a quantity costs: per unit, in packages, graduated or by volume."""

from decimal import ROUND_HALF_UP, Decimal

from tests.standins.store import Json


def cents(value: Decimal) -> int:
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def amount_of(price: Json, quantity: Decimal | int) -> int:
    """Minor units for `quantity` at `price`, rounded half up once."""
    units = Decimal(quantity)
    if price["billing_scheme"] == "tiered":
        rate = _graduated if price["tiers_mode"] == "graduated" else _by_volume
        return cents(rate(price["_tiers"], units))
    package = price["transform_quantity"]
    if package is not None:
        units = units / package["divide_by"]
        whole = units.to_integral_value(rounding="ROUND_FLOOR")
        units = whole + (1 if package["round"] == "up" and units > whole else 0)
    return cents(Decimal(price["unit_amount_decimal"]) * units)


def _graduated(tiers: list[Json], units: Decimal) -> Decimal:
    total = Decimal(0)
    below = Decimal(0)
    for tier in tiers:
        if units <= below and units > 0:
            break
        top = units if tier["up_to"] is None else min(units, Decimal(tier["up_to"]))
        total += _tier_price(tier, top - below)
        below = top
        if top == units:
            break
    return total


def _by_volume(tiers: list[Json], units: Decimal) -> Decimal:
    for tier in tiers:
        if tier["up_to"] is None or units <= tier["up_to"]:
            return _tier_price(tier, units)
    raise AssertionError("the last tier has no upper end")


def _tier_price(tier: Json, units: Decimal) -> Decimal:
    return Decimal(tier["unit_amount_decimal"] or 0) * units + (tier["flat_amount"] or 0)
