"""What Stripe keeps of a charge, and charges that a bank takes back: balance transactions, disputes."""

from tests.standins.store import Json
from tests.standins.stripe.account import Account
from tests.standins.stripe.errors import invalid
from tests.standins.stripe.listing import page_of
from tests.standins.stripe.objects import fresh
from tests.standins.stripe.params import Params
from tests.standins.stripe.routes import Routes

routes = Routes()

# 2.9 % and 30 cents, rounded half up.
FEE_THOUSANDTHS, FEE_FIXED = 29, 30
CLOSED = ("won", "lost")


def received(account: Account, charge: Json) -> Json:
    """What a charge brought to the account's balance, and what was kept of it."""
    fee = (charge["amount"] * FEE_THOUSANDTHS + 500) // 1000 + FEE_FIXED
    return account.save(
        fresh(
            "balance_transaction",
            amount=charge["amount"],
            available_on=account.now,
            created=account.now,
            currency=charge["currency"],
            description=charge["description"],
            fee=fee,
            net=charge["amount"] - fee,
            source=charge["id"],
        )
    )


@routes.get("/v1/balance_transactions/<transaction_id>")
def retrieve_transaction(account: Account, _: Params, transaction_id: str) -> Json:
    return account.get("balance_transaction", transaction_id)


def dispute(account: Account, *, charge_id: str, status: str) -> Json:
    """The bank takes a charge back (needs_response), then gives it back (won) or does not (lost)."""
    charge = account.get("charge", charge_id)
    present = account.find("dispute", lambda one: one["charge"] == charge_id)
    if present and present[0]["status"] in CLOSED:
        raise invalid("The dispute is closed.")
    if present:
        event = "charge.dispute.closed" if status in CLOSED else "charge.dispute.updated"
        return account.change(present[0] | {"status": status}, event)
    made = fresh(
        "dispute",
        amount=charge["amount"],
        charge=charge_id,
        created=account.now,
        currency=charge["currency"],
        payment_intent=charge["payment_intent"],
        reason="fraudulent",
        status=status,
    )
    # The official example is older than this attribute.
    made["evidence_details"]["submission_method"] = "not_submitted"
    account.change(charge | {"disputed": True}, "charge.updated")
    return account.create(made, "charge.dispute.created")


@routes.get("/v1/disputes/<dispute_id>")
def retrieve(account: Account, _: Params, dispute_id: str) -> Json:
    return account.get("dispute", dispute_id)


@routes.list("/v1/disputes", "charge payment_intent")
def every(account: Account, params: Params) -> Json:
    equal = ("charge", "payment_intent")
    return page_of(account, "dispute", params, url="/v1/disputes", equal=equal)
