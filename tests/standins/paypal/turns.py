"""A subscription suspended, taken up again, cancelled, or charged with what is outstanding."""

from decimal import Decimal

from tests.standins.paypal import cycles, payments, showing, terms
from tests.standins.paypal.errors import impossible, invalid, missing
from tests.standins.paypal.merchant import Answer, Call, Merchant
from tests.standins.paypal.objects import amount, bare, money
from tests.standins.paypal.routes import Routes
from tests.standins.paypal.subscriptions import require
from tests.standins.store import Json

routes = Routes("billing_subscriptions_v1")

_REASON_AT_MOST = 128


def _reason(call: Call) -> str:
    reason = (call.body or {}).get("reason")
    if not reason:
        raise missing("/reason")
    if len(reason) > _REASON_AT_MOST:
        raise invalid("/reason", "The value of a field is too long.")
    return str(reason)


@routes.on("POST", f"{showing.PATH}/{{id}}/suspend")
def suspend(merchant: Merchant, call: Call, id: str) -> Answer:  # noqa: A002
    subscription = merchant.get("subscription", id)
    reason = _reason(call)
    require(subscription, "suspend", "ACTIVE")
    cycles.set_status(merchant, subscription, "SUSPENDED", reason)
    merchant.emit("BILLING.SUBSCRIPTION.SUSPENDED", showing.shown(merchant, subscription))
    return Answer(204)


@routes.on("POST", f"{showing.PATH}/{{id}}/cancel")
def cancel(merchant: Merchant, call: Call, id: str) -> Answer:  # noqa: A002
    subscription = merchant.get("subscription", id)
    reason = _reason(call)
    require(subscription, "cancel", "ACTIVE", "SUSPENDED")
    subscription.get("billing_info", {}).pop("next_billing_time", None)
    cycles.set_status(merchant, subscription, "CANCELLED", reason)
    merchant.emit("BILLING.SUBSCRIPTION.CANCELLED", showing.shown(merchant, subscription))
    return Answer(204)


@routes.on("POST", f"{showing.PATH}/{{id}}/activate")
def activate(merchant: Merchant, call: Call, id: str) -> Answer:  # noqa: A002
    """Start one that the buyer approved with CONTINUE, or take up a suspended one."""
    subscription = merchant.get("subscription", id)
    require(subscription, "activate", "SUSPENDED", "APPROVED")
    if subscription["status"] == "APPROVED":
        cycles.activate(merchant, subscription)
        return Answer(204)
    reason = _reason(call)
    _check_threshold(merchant, subscription)
    cycles.resume(merchant, subscription)
    cycles.set_status(merchant, subscription, "ACTIVE", reason)
    merchant.emit("BILLING.SUBSCRIPTION.ACTIVATED", showing.shown(merchant, subscription))
    return Answer(204)


def _check_threshold(merchant: Merchant, subscription: Json) -> None:
    """After too many failures the outstanding balance must be collected or forgiven first."""
    info = subscription["billing_info"]
    preferences = terms.effective_plan(merchant, subscription)["payment_preferences"]
    threshold = preferences["payment_failure_threshold"]
    if threshold and info["failed_payments_count"] >= threshold:
        raise impossible(
            "SUBSCRIPTION_CANNOT_BE_ACTIVATED",
            "Subscription cannot be activated after payment failure threshold has reached.",
        )


@routes.on("POST", f"{showing.PATH}/{{id}}/capture")
def capture(merchant: Merchant, call: Call, id: str) -> Answer:  # noqa: A002
    """Take some or all of the outstanding balance now."""
    subscription = merchant.get("subscription", id)
    for name in ("note", "capture_type", "amount"):
        if name not in (call.body or {}):
            raise missing(f"/{name}")
    if call.body["capture_type"] != "OUTSTANDING_BALANCE":
        raise invalid("/capture_type")
    require(subscription, "capture", "ACTIVE", "SUSPENDED", "EXPIRED")
    present = subscription["billing_info"]["outstanding_balance"]
    wanted = _capturable(call.body["amount"], present)
    gross = {"gross_amount": money(wanted, present["currency_code"])}
    if payments.collect(merchant, subscription, gross):
        left = Decimal(present["value"]) - wanted
        subscription["billing_info"]["outstanding_balance"] = money(left, present["currency_code"])
    merchant.save("subscription", subscription)
    return Answer(200, bare(merchant.find("transaction")[-1]))


def _capturable(given: Json, present: Json) -> Decimal:
    if Decimal(present["value"]) <= 0:
        raise impossible(
            "ZERO_OUTSTANDING_BALANCE", "Current outstanding balance should be greater than zero."
        )
    if given["currency_code"] != present["currency_code"]:
        raise impossible(
            "CURRENCY_MISMATCH",
            "The currency code is different from the subscription's currency code.",
        )
    wanted = amount(given, field="/amount")
    if wanted <= 0:
        raise invalid("/amount/value")
    if wanted > Decimal(present["value"]):
        raise impossible(
            "AMOUNT_GREATER_THAN_OUTSTANDING_BALANCE",
            "The capture amount can not be greater than the current outstanding balance.",
        )
    return wanted
