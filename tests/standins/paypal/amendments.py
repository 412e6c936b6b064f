"""PATCH of a running subscription: balance, custom id, prices, preferences."""

from decimal import Decimal
from typing import Any

from tests.standins.paypal import patches, plans, showing, terms
from tests.standins.paypal.errors import impossible
from tests.standins.paypal.merchant import Answer, Call, Merchant
from tests.standins.paypal.objects import amount, moment, money
from tests.standins.paypal.routes import Routes
from tests.standins.paypal.subscriptions import require
from tests.standins.store import Json

routes = Routes("billing_subscriptions_v1")


def _set_balance(merchant: Merchant) -> patches.Change:
    """The balance may be forgiven in part, never raised: PayPal's description says so."""

    def change(subscription: Json, value: Any, _: object) -> None:
        present = subscription["billing_info"]["outstanding_balance"]
        if value["currency_code"] != present["currency_code"]:
            raise impossible(
                "CURRENCY_MISMATCH",
                "The currency code is different from the subscription's currency code.",
            )
        wanted = amount(value, field="/billing_info/outstanding_balance")
        allowed = merchant.store.get("setting", "may_raise_balance") is not None
        if wanted > Decimal(present["value"]) and not allowed:
            raise impossible(
                "AMOUNT_GREATER_THAN_OUTSTANDING_BALANCE",
                "The new outstanding balance cannot be greater than the current outstanding "
                "balance.",
            )
        subscription["billing_info"]["outstanding_balance"] = money(wanted, value["currency_code"])

    return change


def _set_price(merchant: Merchant) -> patches.Change:
    def change(subscription: Json, value: Any, found: Any) -> None:
        sequence = int(found["sequence"])
        plan = terms.effective_plan(merchant, subscription)
        before = plans.cycle_at(plan, sequence)["pricing_scheme"]
        scheme = {"fixed_price": value}
        plans.check_scheme(scheme)
        plans.check_same_kind(before, scheme, plans.currency_of(plan))
        subscription["_past_schemes"].append(
            {"sequence": sequence, "scheme": before, "until": merchant.now}
        )
        mine = _override_at(subscription, sequence)
        mine["pricing_scheme"] = scheme | plans.stamped(merchant, version=before["version"] + 1)
        subscription["plan_overridden"] = True

    return change


def _override_at(subscription: Json, sequence: int) -> Json:
    found: list[Json] = subscription["_override"].setdefault("billing_cycles", [])
    for cycle in found:
        if cycle["sequence"] == sequence:
            return cycle
    found.append({"sequence": sequence})
    return found[-1]


def _set_preference(name: str) -> patches.Change:
    def change(subscription: Json, value: Any, _: object) -> None:
        subscription["_override"].setdefault("payment_preferences", {})[name] = value
        subscription["plan_overridden"] = True

    return change


@routes.on("PATCH", f"{showing.PATH}/{{id}}")
def change(merchant: Merchant, call: Call, id: str) -> Answer:  # noqa: A002
    subscription = merchant.get("subscription", id)
    require(subscription, "patch", "ACTIVE", "SUSPENDED")
    cycle = r"/plan/billing_cycles/@sequence==(?P<sequence>\d+)"
    allowed: dict[str, tuple[str, patches.Change]] = {
        "/billing_info/outstanding_balance": ("replace", _set_balance(merchant)),
        "/custom_id": ("add replace", patches.set_at("custom_id")),
        "/shipping_amount": ("add replace", patches.set_at("shipping_amount")),
        f"{cycle}/pricing_scheme/fixed_price": ("add replace", _set_price(merchant)),
        "/plan/payment_preferences/auto_bill_outstanding": (
            "replace",
            _set_preference("auto_bill_outstanding"),
        ),
        "/plan/payment_preferences/payment_failure_threshold": (
            "replace",
            _set_preference("payment_failure_threshold"),
        ),
    }
    patches.apply(subscription, call.body, allowed)
    merchant.save("subscription", subscription | {"update_time": moment(merchant.now)})
    merchant.emit("BILLING.SUBSCRIPTION.UPDATED", showing.shown(merchant, subscription))
    return Answer(204)
