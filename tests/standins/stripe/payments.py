"""Payment intents, charges and refunds: money as it moves, or does not."""

from tests.standins.store import Json
from tests.standins.stripe import balances, cards
from tests.standins.stripe.account import Account
from tests.standins.stripe.errors import StripeError, invalid, missing
from tests.standins.stripe.listing import page_of
from tests.standins.stripe.objects import fresh, random_text
from tests.standins.stripe.params import Params
from tests.standins.stripe.routes import Routes

routes = Routes()

REASONS = ("duplicate", "fraudulent", "requested_by_customer")


def intend(
    account: Account, *, amount: int, currency: str, customer: str | None, description: str | None
) -> Json:
    """A payment intent that waits for a payment method."""
    intent = fresh(
        "payment_intent",
        amount=amount,
        created=account.now,
        currency=currency,
        customer=customer,
        description=description,
        status="requires_payment_method",
    )
    intent["client_secret"] = f"{intent['id']}_secret_{random_text(25)}"
    return account.create(intent, "payment_intent.created")


def attempt(account: Account, intent: Json, method: Json) -> StripeError | None:
    """Charge the method. The charge and its events are there either way; the decline is returned."""
    decline = method["_decline"]
    charge = _charge(account, intent, method, decline)
    intent |= {"latest_charge": charge["id"], "payment_method": method["id"]}
    if not decline:
        charge["balance_transaction"] = balances.received(account, charge)["id"]
        account.create(charge, "charge.succeeded")
        intent |= {"status": "succeeded", "amount_received": intent["amount"]}
        intent["last_payment_error"] = None
        account.change(intent, "payment_intent.succeeded")
        return None
    account.create(charge, "charge.failed")
    refusal = cards.declined(decline, charge=charge["id"])
    intent |= {
        "last_payment_error": refusal.error | {"payment_method": method},
        "payment_method": None,
        "status": "requires_payment_method",
    }
    account.change(intent, "payment_intent.payment_failed")
    return refusal


def _charge(account: Account, intent: Json, method: Json, decline: str) -> Json:
    charge = fresh(
        "charge",
        amount=intent["amount"],
        amount_captured=0 if decline else intent["amount"],
        captured=not decline,
        billing_details=method["billing_details"],
        created=account.now,
        currency=intent["currency"],
        customer=intent["customer"],
        description=intent["description"],
        failure_code="card_declined" if decline else None,
        failure_message=str(cards.declined(decline)) if decline else None,
        paid=not decline,
        payment_intent=intent["id"],
        payment_method=method["id"],
        status="failed" if decline else "succeeded",
    )
    charge["payment_method_details"]["card"] |= {
        "brand": method["card"]["brand"],
        "exp_month": method["card"]["exp_month"],
        "exp_year": method["card"]["exp_year"],
        "installments": None,
        "last4": method["card"]["last4"],
        "network": method["card"]["brand"],
        "overcapture": {"maximum_amount_capturable": intent["amount"], "status": "unavailable"},
        "three_d_secure": None,
        "wallet": None,
    }
    return charge


@routes.get("/v1/payment_intents/<intent_id>")
def retrieve_intent(account: Account, _: Params, intent_id: str) -> Json:
    return account.get("payment_intent", intent_id)


@routes.list("/v1/payment_intents", "customer")
def every_intent(account: Account, params: Params) -> Json:
    return page_of(
        account, "payment_intent", params, url="/v1/payment_intents", equal=("customer",)
    )


@routes.get("/v1/setup_intents/<intent_id>")
def retrieve_setup(account: Account, _: Params, intent_id: str) -> Json:
    return account.get("setup_intent", intent_id)


@routes.get("/v1/charges/<charge_id>")
def retrieve_charge(account: Account, _: Params, charge_id: str) -> Json:
    return account.get("charge", charge_id)


@routes.list("/v1/charges", "customer payment_intent")
def every_charge(account: Account, params: Params) -> Json:
    return page_of(
        account, "charge", params, url="/v1/charges", equal=("customer", "payment_intent")
    )


@routes.post("/v1/refunds", "charge payment_intent amount reason metadata")
def create_refund(account: Account, params: Params) -> Json:
    charge = _charge_to_refund(account, params)
    left = charge["amount"] - charge["amount_refunded"]
    if left == 0:
        raise invalid(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
        )
    amount = params.integer("amount") or left
    if not 0 < amount <= left:
        raise invalid(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
            param="amount",
        )
    refund = fresh(
        "refund",
        amount=amount,
        charge=charge["id"],
        created=account.now,
        currency=charge["currency"],
        customer=charge["customer"],
        metadata=params.into_metadata(None),
        payment_intent=charge["payment_intent"],
        reason=params.one_of("reason", REASONS, "requested_by_customer")
        if "reason" in params
        else None,
    )
    account.create(refund, "refund.created")
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    account.change(charge, "charge.refunded")
    return refund


def _charge_to_refund(account: Account, params: Params) -> Json:
    if "charge" in params:
        charge = account.named_by(params, "charge")
    elif "payment_intent" in params:
        intent = account.named_by(params, "payment_intent")
        charge = account.get("charge", intent["latest_charge"] or "none")
    else:
        raise missing("payment_intent")
    if charge["status"] != "succeeded":
        raise invalid(f"Charge {charge['id']} is not successful and cannot be refunded.")
    return charge


@routes.get("/v1/refunds/<refund_id>")
def retrieve_refund(account: Account, _: Params, refund_id: str) -> Json:
    return account.get("refund", refund_id)


@routes.post("/v1/refunds/<refund_id>", "metadata")
def update_refund(account: Account, params: Params, refund_id: str) -> Json:
    refund = account.get("refund", refund_id)
    refund["metadata"] = params.into_metadata(refund["metadata"])
    return account.change(refund, "refund.updated")


@routes.list("/v1/refunds", "charge payment_intent")
def every_refund(account: Account, params: Params) -> Json:
    return page_of(account, "refund", params, url="/v1/refunds", equal=("charge", "payment_intent"))
