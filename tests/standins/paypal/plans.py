"""Billing plans: cycles with prices, each price with the moment from which it holds."""

from decimal import Decimal
from typing import Any

from tests.standins.paypal import patches
from tests.standins.paypal.errors import impossible, invalid, missing
from tests.standins.paypal.merchant import Answer, Call, Merchant
from tests.standins.paypal.objects import amount, bare, moment, new_id
from tests.standins.paypal.paging import page_of
from tests.standins.paypal.routes import Routes
from tests.standins.store import Json

routes = Routes("billing_subscriptions_v1")

_PATH = "/v1/billing/plans"
_REQUIRED = ("product_id", "name", "billing_cycles", "payment_preferences")
_FIELDS = [
    "product_id",
    "name",
    "description",
    "billing_cycles",
    "payment_preferences",
    "taxes",
    "quantity_supported",
]
_PREFERENCES = {
    "auto_bill_outstanding": True,
    "setup_fee_failure_action": "CANCEL",
    "payment_failure_threshold": 0,
}
_MINIMAL = ("id", "product_id", "name", "status", "description", "create_time", "links")


@routes.on("POST", _PATH)
def create(merchant: Merchant, call: Call) -> Answer:
    for name in _REQUIRED:
        if name not in call.body:
            raise missing(f"/{name}")
    merchant.get("product", call.body["product_id"])
    ident = new_id("P-", 24)
    plan: Json = {"id": ident, "status": call.body.get("status", "ACTIVE")}
    plan |= {name: call.body[name] for name in _FIELDS if name in call.body}
    plan["payment_preferences"] = _PREFERENCES | plan["payment_preferences"]
    plan["quantity_supported"] = plan.get("quantity_supported", False)
    plan["billing_cycles"] = _cycles(merchant, plan["billing_cycles"])
    plan |= {"create_time": moment(merchant.now), "update_time": moment(merchant.now)}
    plan["links"] = _links(merchant, plan)
    plan["_past_schemes"] = []
    merchant.save("plan", plan)
    merchant.emit("BILLING.PLAN.CREATED", plan)
    if plan["status"] == "ACTIVE":
        merchant.emit("BILLING.PLAN.ACTIVATED", plan)
    shown = plan if call.wants_whole else {k: v for k, v in plan.items() if k in _MINIMAL}
    return Answer(201, bare(shown))


def _cycles(merchant: Merchant, given: list[Json]) -> list[Json]:
    """In order of sequence, defaults filled in; 400 for an order that PayPal does not take."""
    found = sorted(given, key=lambda cycle: int(cycle["sequence"]))
    sequences = [cycle["sequence"] for cycle in found]
    tenures = [cycle["tenure_type"] for cycle in found]
    if sequences != list(range(1, len(found) + 1)):
        raise invalid("/billing_cycles/sequence")
    if tenures.count("REGULAR") != 1 or tenures[-1] != "REGULAR" or len(found) > 3:
        raise invalid("/billing_cycles/tenure_type")
    for cycle in found:
        cycle["frequency"] = {"interval_count": 1} | cycle["frequency"]
        cycle["total_cycles"] = cycle.get("total_cycles", 1)
        if cycle["tenure_type"] == "TRIAL" and not 1 <= cycle["total_cycles"] <= 999:
            raise invalid("/billing_cycles/total_cycles")
        if "pricing_scheme" in cycle:
            check_scheme(cycle["pricing_scheme"])
            cycle["pricing_scheme"] |= stamped(merchant, version=1)
        elif cycle["tenure_type"] == "REGULAR":
            raise missing("/billing_cycles/pricing_scheme")
    return found


def stamped(merchant: Merchant, *, version: int) -> Json:
    now = moment(merchant.now)
    return {"version": version, "create_time": now, "update_time": now}


def check_scheme(scheme: Json) -> None:
    """400 or 422 for a price that cannot be one."""
    prices = [scheme["fixed_price"]] if "fixed_price" in scheme else []
    prices += [tier["amount"] for tier in scheme.get("tiers", [])]
    if not prices:
        raise missing("/pricing_scheme/fixed_price")
    if "tiers" in scheme and "pricing_model" not in scheme:
        raise missing("/pricing_scheme/pricing_model")
    for price in prices:
        if amount(price, field="/pricing_scheme") < 0:
            raise invalid("/pricing_scheme")


def currency_of(plan: Json) -> str:
    scheme = plan["billing_cycles"][-1]["pricing_scheme"]
    price = scheme.get("fixed_price") or scheme["tiers"][0]["amount"]
    return str(price["currency_code"])


def price_of(scheme: Json, quantity: Decimal) -> Decimal:
    """What a cycle costs: fixed per unit, by volume, or tier by tier."""
    if "tiers" not in scheme:
        return Decimal(scheme["fixed_price"]["value"]) * quantity
    if scheme["pricing_model"] == "VOLUME":
        for tier in scheme["tiers"]:
            if quantity <= Decimal(tier.get("ending_quantity", quantity)):
                return Decimal(tier["amount"]["value"]) * quantity
    total = Decimal(0)
    for tier in scheme["tiers"]:
        start = Decimal(tier["starting_quantity"]) - 1
        end = min(quantity, Decimal(tier.get("ending_quantity", quantity)))
        total += max(end - max(start, Decimal(0)), Decimal(0)) * Decimal(tier["amount"]["value"])
    return total


def _links(merchant: Merchant, plan: Json) -> list[Json]:
    path = f"{_PATH}/{plan['id']}"
    turn = "deactivate" if plan["status"] == "ACTIVE" else "activate"
    return [
        merchant.link(path, "self"),
        merchant.link(path, "edit", "PATCH"),
        merchant.link(f"{path}/{turn}", turn, "POST"),
        merchant.link(f"{path}/update-pricing-schemes", "edit", "POST"),
    ]


@routes.on("GET", _PATH)
def every(merchant: Merchant, call: Call) -> Answer:
    product, ids = call.query.get("product_id"), call.query.get("plan_ids")
    found = merchant.find(
        "plan",
        lambda plan: (
            product in (None, plan["product_id"]) and (ids is None or plan["id"] in ids.split(","))
        ),
    )
    shown = (
        found
        if call.wants_whole
        else [{key: value for key, value in plan.items() if key in _MINIMAL} for plan in found]
    )
    return page_of(merchant, call, [bare(plan) for plan in shown], name="plans", path=_PATH)


@routes.on("GET", f"{_PATH}/{{id}}")
def retrieve(merchant: Merchant, _: Call, id: str) -> Answer:  # noqa: A002 - the spec's name
    return Answer(200, bare(merchant.get("plan", id)))


@routes.on("PATCH", f"{_PATH}/{{id}}")
def change(merchant: Merchant, call: Call, id: str) -> Answer:  # noqa: A002
    plan = merchant.get("plan", id)
    if plan["status"] == "INACTIVE":
        raise impossible(
            "PLAN_STATUS_INACTIVE", "Status update is the only patchable filed on an inactive plan."
        )
    allowed: dict[str, Any] = {
        "/name": ("replace", patches.set_at("name")),
        "/description": ("add replace remove", patches.set_at("description")),
        r"/taxes/percentage": ("replace", patches.set_at("taxes", "percentage")),
    }
    for name in ("auto_bill_outstanding", "payment_failure_threshold", "setup_fee_failure_action"):
        allowed[f"/payment_preferences/{name}"] = (
            "replace",
            patches.set_at("payment_preferences", name),
        )
    patches.apply(plan, call.body, allowed)
    merchant.save("plan", plan | {"update_time": moment(merchant.now)})
    merchant.emit("BILLING.PLAN.UPDATED", plan)
    return Answer(204)


@routes.on("POST", f"{_PATH}/{{id}}/activate")
def activate(merchant: Merchant, _: Call, id: str) -> Answer:  # noqa: A002
    return _turn(merchant, id, ("CREATED", "INACTIVE"), "ACTIVE", "BILLING.PLAN.ACTIVATED")


@routes.on("POST", f"{_PATH}/{{id}}/deactivate")
def deactivate(merchant: Merchant, _: Call, id: str) -> Answer:  # noqa: A002
    return _turn(merchant, id, ("ACTIVE",), "INACTIVE", "BILLING.PLAN.DEACTIVATED")


def _turn(
    merchant: Merchant, ident: str, since: tuple[str, ...], status: str, event: str
) -> Answer:
    plan = merchant.get("plan", ident)
    if plan["status"] not in since:
        wanted = " or ".join(word.lower() for word in since)
        raise impossible("PLAN_STATUS_INVALID", f"Invalid plan status; it should be {wanted}.")
    plan |= {"status": status, "update_time": moment(merchant.now)}
    plan["links"] = _links(merchant, plan)
    merchant.save("plan", plan)
    merchant.emit(event, plan)
    return Answer(204)


@routes.on("POST", f"{_PATH}/{{id}}/update-pricing-schemes")
def change_prices(merchant: Merchant, call: Call, id: str) -> Answer:  # noqa: A002
    """New prices, for running subscriptions too, but not for payments within ten days."""
    plan = merchant.get("plan", id)
    for wish in call.body.get("pricing_schemes", []):
        cycle = cycle_at(plan, wish["billing_cycle_sequence"])
        scheme = wish["pricing_scheme"]
        check_scheme(scheme)
        check_same_kind(cycle.get("pricing_scheme"), scheme, currency_of(plan))
        before = cycle.get("pricing_scheme", {"version": 0})
        plan["_past_schemes"].append(
            {"sequence": cycle["sequence"], "scheme": before, "until": merchant.now}
        )
        cycle["pricing_scheme"] = scheme | stamped(merchant, version=before["version"] + 1)
    plan["update_time"] = moment(merchant.now)
    merchant.save("plan", plan)
    merchant.emit("BILLING.PLAN.PRICING-CHANGE.ACTIVATED", plan)
    return Answer(204)


def cycle_at(plan: Json, sequence: int) -> Json:
    for cycle in plan["billing_cycles"]:
        if cycle["sequence"] == sequence:
            found: Json = cycle
            return found
    raise impossible(
        "INVALID_BILLING_CYCLE_SEQUENCE", "The provided billing cycle sequence is not available."
    )


def check_same_kind(before: Json | None, after: Json, currency: str) -> None:
    if before is not None and ("tiers" in before) != ("tiers" in after):
        raise impossible(
            "INVALID_PRICING_SCHEME",
            "The new pricing scheme should be of the same type as that of the old one.",
        )
    price = after.get("fixed_price") or after["tiers"][0]["amount"]
    if price["currency_code"] != currency:
        raise impossible(
            "CURRENCY_MISMATCH", "The currency code is different from the plan's currency code."
        )
