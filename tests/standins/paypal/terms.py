"""What a subscription pays by: its plan with its own overrides, at a given moment."""

from decimal import Decimal

from tests.standins.paypal import plans
from tests.standins.paypal.merchant import Merchant
from tests.standins.paypal.objects import amount, moment, money
from tests.standins.store import Json, copied

UNTOUCHED_SECONDS = 10 * 86_400  # a new price leaves the payments of the next ten days alone


def effective_plan(merchant: Merchant, subscription: Json) -> Json:
    """The plan as the subscription has it: `plan` of a request merged over the plan itself."""
    plan = copied(merchant.get("plan", subscription["plan_id"]))
    override = subscription["_override"]
    for cycle in override.get("billing_cycles", []):
        mine = plans.cycle_at(plan, cycle["sequence"])
        mine |= {name: value for name, value in cycle.items() if name != "sequence"}
    plan["payment_preferences"] |= override.get("payment_preferences", {})
    if "taxes" in override:
        plan["taxes"] = (
            plan.get("taxes", {"percentage": "0", "inclusive": True}) | override["taxes"]
        )
    changes = {"update_time": moment(merchant.now)} if override else {}
    return {key: value for key, value in (plan | changes).items() if not key.startswith("_")}


def check_override(merchant: Merchant, plan: Json, override: Json) -> Json:
    """The override with its price schemes complete; 422 where it does not fit the plan."""
    checked = copied(override)
    for cycle in checked.get("billing_cycles", []):
        present = plans.cycle_at(plan, cycle["sequence"])
        if "pricing_scheme" in cycle:
            plans.check_scheme(cycle["pricing_scheme"])
            plans.check_same_kind(
                present.get("pricing_scheme"), cycle["pricing_scheme"], plans.currency_of(plan)
            )
            cycle["pricing_scheme"] |= plans.stamped(merchant, version=1)
    result: Json = checked
    return result


def scheme_at(merchant: Merchant, subscription: Json, cycle: Json, at: int) -> Json | None:
    """The price scheme for a payment at `at`, which newer ones may not touch yet; None is free."""
    chosen: Json | None = cycle.get("pricing_scheme")
    overridden = any(
        "pricing_scheme" in one and one["sequence"] == cycle["sequence"]
        for one in subscription["_override"].get("billing_cycles", [])
    )
    past = subscription["_past_schemes"]
    if not overridden:
        past = past + merchant.get("plan", subscription["plan_id"])["_past_schemes"]
    still_held = [
        one
        for one in past
        if one["sequence"] == cycle["sequence"]
        and max(one["until"], subscription["_subscribed"]) > at - UNTOUCHED_SECONDS
        and one["until"] > subscription["_subscribed"]
    ]
    if still_held:
        chosen = min(still_held, key=lambda one: int(one["until"]))["scheme"]
    return chosen


def amount_due(merchant: Merchant, subscription: Json, cycle: Json, at: int) -> Json:
    """The cycle's price for the quantity with tax and shipping, as an amount with breakdown."""
    plan = effective_plan(merchant, subscription)
    currency = plans.currency_of(plan)
    scheme = scheme_at(merchant, subscription, cycle, at)
    net = (
        Decimal(0) if scheme is None else plans.price_of(scheme, Decimal(subscription["quantity"]))
    )
    taxes = plan.get("taxes", {"percentage": "0", "inclusive": True})
    share = Decimal(taxes["percentage"]) / 100
    tax = net * share / (1 + share) if taxes.get("inclusive", True) else net * share
    items = net - tax if taxes.get("inclusive", True) else net
    shipping = Decimal(0)
    if "shipping_amount" in subscription:
        shipping = amount(subscription["shipping_amount"], field="/shipping_amount")
    tax_money = money(tax, currency)
    gross = items + tax + shipping
    return {
        "gross_amount": money(gross, currency),
        "total_item_amount": money(gross - shipping - Decimal(tax_money["value"]), currency),
        "tax_amount": tax_money,
        "shipping_amount": money(shipping, currency),
    }
