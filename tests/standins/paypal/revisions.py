"""Changes of plan or quantity, which wait for the buyer's consent."""

from decimal import Decimal, InvalidOperation

from tests.standins.paypal import cycles, plans, showing, terms
from tests.standins.paypal.errors import impossible, invalid
from tests.standins.paypal.merchant import Answer, Call, Merchant
from tests.standins.paypal.objects import moment, new_id
from tests.standins.paypal.routes import Routes
from tests.standins.store import Json

routes = Routes("billing_subscriptions_v1")

_SHOWN = ("plan_id", "quantity", "shipping_amount", "shipping_address", "plan")


@routes.on("POST", f"{showing.PATH}/{{id}}/revise")
def revise(merchant: Merchant, call: Call, id: str) -> Answer:  # noqa: A002 - the spec's name
    """Nothing changes yet: the answer's `approve` link is where the buyer consents.

    A later revision takes the place of one that still waits.
    """
    subscription = merchant.get("subscription", id)
    if subscription["status"] not in ("ACTIVE", "SUSPENDED"):
        raise impossible(
            "SUBSCRIPTION_STATUS_INVALID", "Invalid subscription status for revise action."
        )
    wish: Json = call.body or {}
    plan = merchant.get("plan", str(wish.get("plan_id", subscription["plan_id"])))
    _check(merchant, subscription, plan, wish)
    token = new_id("BA-", 17)
    merchant.store.put("approval", token, {"subscription": id, "is_revision": True})
    subscription["_revision"] = {"token": token, "wish": wish}
    merchant.save("subscription", subscription)
    approve = {
        "href": showing.approval_url(merchant, token, update=True),
        "rel": "approve",
        "method": "GET",
    }
    body: Json = {name: wish[name] for name in _SHOWN if name in wish}
    body |= {"plan_id": plan["id"], "plan_overridden": "plan" in wish}
    body["links"] = [approve, *showing.links(merchant, subscription)]
    return Answer(200, body)


def _check(merchant: Merchant, subscription: Json, plan: Json, wish: Json) -> None:
    present = merchant.get("plan", subscription["plan_id"])
    if plan["product_id"] != present["product_id"]:
        raise impossible(
            "PLAN_PRODUCT_NOT_COMPATIBLE",
            "The old and the new plans should be for the same product.",
        )
    if plans.currency_of(plan) != plans.currency_of(present):
        raise impossible(
            "CURRENCY_MISMATCH", "The currency code is different from the plan's currency code."
        )
    if "quantity" in wish:
        _check_quantity(plan, wish["quantity"])
    terms.check_override(merchant, plan, wish.get("plan", {}))


def _check_quantity(plan: Json, quantity: str) -> None:
    if not plan["quantity_supported"]:
        raise impossible(
            "SUBSCRIPTION_CANNOT_HAVE_QUANTITY",
            "Subscription can't have quantity as the plan does not support quantity.",
        )
    try:
        is_sensible = Decimal(quantity) > 0
    except InvalidOperation:
        is_sensible = False
    if not is_sensible:
        raise invalid("/quantity")


def consent(merchant: Merchant, subscription: Json) -> Json:
    """The buyer agreed: the new terms hold from the next billing on."""
    wish = subscription.pop("_revision")["wish"]
    plan = merchant.get("plan", wish.get("plan_id", subscription["plan_id"]))
    is_other_plan = plan["id"] != subscription["plan_id"]
    subscription |= {
        "plan_id": plan["id"],
        "plan_overridden": "plan" in wish,
        # "Any existing overrides will not be carried forward during subscription revise."
        "_override": terms.check_override(merchant, plan, wish.get("plan", {})),
        "_past_schemes": [],
        "_subscribed": merchant.now,
        "update_time": moment(merchant.now),
    }
    for name in ("quantity", "shipping_amount"):
        if name in wish:
            subscription[name] = wish[name]
    info = subscription["billing_info"]
    kept = None if is_other_plan else info["cycle_executions"]
    effective = terms.effective_plan(merchant, subscription)
    info["cycle_executions"] = cycles.executions(effective, kept)
    merchant.save("subscription", subscription)
    merchant.emit("BILLING.SUBSCRIPTION.UPDATED", showing.shown(merchant, subscription))
    return subscription
