"""What a price is made of: amount or tiers, recurrence, packages."""

from tests.standins.store import Json
from tests.standins.stripe.account import Account
from tests.standins.stripe.errors import invalid, missing
from tests.standins.stripe.objects import fresh
from tests.standins.stripe.params import Params

INTERVALS = ("day", "week", "month", "year")


def made(account: Account, params: Params, *, product: str) -> Json:
    scheme = params.one_of("billing_scheme", ("per_unit", "tiered"), "per_unit")
    recurring = _recurring(account, params.inner("recurring")) if "recurring" in params else None
    price = fresh(
        "price",
        active=params.flag("active") is not False,
        billing_scheme=scheme,
        created=account.now,
        currency=params.required("currency").lower(),
        lookup_key=params.text("lookup_key"),
        metadata=params.into_metadata(None),
        nickname=params.text("nickname"),
        product=product,
        recurring=recurring,
        tax_behavior=params.text("tax_behavior") or "unspecified",
        type="recurring" if recurring else "one_time",
        transform_quantity=_transform(params),
    )
    return price | (_tiers(params) if scheme == "tiered" else _amount(params))


def _transform(params: Params) -> Json | None:
    if "transform_quantity" not in params:
        return None
    given = params.inner("transform_quantity")
    rounding = given.one_of("round", ("up", "down"), "up")
    return {"divide_by": given.integer("divide_by"), "round": rounding}


def _amount(params: Params) -> Json:
    exact = params.decimal("unit_amount_decimal")
    whole = params.integer("unit_amount")
    if exact is None and whole is None:
        raise missing("unit_amount")
    if exact is None:
        return {"unit_amount": whole, "unit_amount_decimal": str(whole)}
    is_whole = exact == exact.to_integral_value()
    return {"unit_amount": int(exact) if is_whole else None, "unit_amount_decimal": str(exact)}


def _tiers(params: Params) -> Json:
    tiers = [
        {
            "flat_amount": tier.integer("flat_amount"),
            "flat_amount_decimal": tier.text("flat_amount"),
            "unit_amount": tier.integer("unit_amount"),
            "unit_amount_decimal": tier.text("unit_amount_decimal") or tier.text("unit_amount"),
            "up_to": None if tier.text("up_to") == "inf" else tier.integer("up_to"),
        }
        for tier in params.each("tiers")
    ]
    if not tiers or tiers[-1]["up_to"] is not None:
        raise invalid("The last tier must be `inf`.", param="tiers")
    mode = params.one_of("tiers_mode", ("graduated", "volume"), "graduated")
    return {"tiers_mode": mode, "unit_amount": None, "unit_amount_decimal": None, "_tiers": tiers}


def _recurring(account: Account, params: Params) -> Json:
    meter = params.text("meter")
    if meter is not None:
        account.named_by(params, "meter", "billing.meter")
    usage = params.one_of("usage_type", ("licensed", "metered"), "licensed")
    if usage == "metered" and meter is None:
        raise invalid("Metered prices must be backed by a meter.", param=params.named("meter"))
    return {
        "interval": params.one_of("interval", INTERVALS, params.required("interval")),
        "interval_count": params.integer("interval_count") or 1,
        "meter": meter,
        "trial_period_days": None,
        "usage_type": usage,
    }
