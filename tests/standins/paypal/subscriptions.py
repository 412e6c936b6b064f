"""Subscriptions: asked for, approved by the buyer, running, changed, ended."""

from tests.standins.paypal import terms
from tests.standins.paypal.errors import impossible, invalid, missing
from tests.standins.paypal.merchant import Answer, Call, Merchant
from tests.standins.paypal.objects import bare, moment, new_id, seconds
from tests.standins.paypal.routes import Routes
from tests.standins.paypal.showing import PATH, shown
from tests.standins.store import Json

routes = Routes("billing_subscriptions_v1")

_COPIED = ("quantity", "shipping_amount", "custom_id")


@routes.on("POST", PATH)
def create(merchant: Merchant, call: Call) -> Answer:
    """APPROVAL_PENDING, with the address where the buyer approves."""
    wish = call.body
    if "plan_id" not in wish:
        raise missing("/plan_id")
    plan = merchant.get("plan", wish["plan_id"])
    if plan["status"] != "ACTIVE":
        raise impossible(
            "PLAN_STATUS_INVALID",
            "Invalid plan status for subscription creation; plan status should be active.",
        )
    _check_quantity(plan, wish)
    start = moment(merchant.now)
    if "start_time" in wish:
        if seconds(wish["start_time"], field="/start_time") <= merchant.now:
            raise invalid("/start_time", "Start time must be a valid future date and time.")
        start = wish["start_time"]
    ident, token = new_id("I-", 12), new_id("BA-", 17)
    subscription: Json = {
        "id": ident,
        "status": "APPROVAL_PENDING",
        "status_update_time": moment(merchant.now),
        "plan_id": plan["id"],
        "plan_overridden": "plan" in wish,
        "start_time": start,
        "quantity": "1",
        **{name: wish[name] for name in _COPIED if name in wish},
        "subscriber": {
            name: value
            for name, value in wish.get("subscriber", {}).items()
            if name != "payment_source"
        },
        "create_time": moment(merchant.now),
        "_override": terms.check_override(merchant, plan, wish.get("plan", {})),
        "_past_schemes": [],
        "_context": wish.get("application_context", {}),
        "_token": token,
        "_subscribed": merchant.now,
        "_funds": "ok",
    }
    merchant.store.put("approval", token, {"subscription": ident})
    merchant.save("subscription", subscription)
    merchant.emit("BILLING.SUBSCRIPTION.CREATED", shown(merchant, subscription))
    minimal = ("id", "status", "status_update_time", "create_time", "links")
    whole = shown(merchant, subscription)
    return Answer(
        201, whole if call.wants_whole else {k: v for k, v in whole.items() if k in minimal}
    )


def _check_quantity(plan: Json, wish: Json) -> None:
    if "quantity" in wish and not plan["quantity_supported"]:
        raise impossible(
            "SUBSCRIPTION_CANNOT_HAVE_QUANTITY",
            "Subscription can't have quantity as the plan does not support quantity.",
        )


@routes.on("GET", f"{PATH}/{{id}}")
def retrieve(merchant: Merchant, call: Call, id: str) -> Answer:  # noqa: A002 - the spec's name
    """`?fields=plan` adds the plan as it holds for this subscription."""
    subscription = merchant.get("subscription", id)
    body = shown(merchant, subscription)
    if "plan" in call.query.get("fields", "").split(","):
        plan = terms.effective_plan(merchant, subscription)
        named = ("billing_cycles", "payment_preferences", "taxes", "quantity_supported", "name")
        body["plan"] = {name: plan[name] for name in named if name in plan}
    return Answer(200, body)


def require(subscription: Json, action: str, *statuses: str) -> None:
    if subscription["status"] not in statuses:
        wanted = " or ".join(status.lower() for status in statuses)
        raise impossible(
            "SUBSCRIPTION_STATUS_INVALID",
            f"Invalid subscription status for {action} action; subscription status should be "
            f"{wanted}.",
        )


@routes.on("GET", f"{PATH}/{{id}}/transactions")
def transactions(merchant: Merchant, call: Call, id: str) -> Answer:  # noqa: A002
    merchant.get("subscription", id)
    for name in ("start_time", "end_time"):
        if name not in call.query:
            raise missing(name)
    start, end = (seconds(call.query[name], field=name) for name in ("start_time", "end_time"))
    found = merchant.find(
        "transaction", lambda one: one["_subscription"] == id and start <= one["_at"] <= end
    )
    link = merchant.link(f"{PATH}/{id}/transactions", "self")
    body = {"transactions": [bare(one) for one in found], "links": [link]}
    return Answer(200, body | {"total_items": len(found), "total_pages": 1})
