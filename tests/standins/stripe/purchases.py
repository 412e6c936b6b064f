"""What a person's click on "Pay" brings about."""

from tests.standins.periods import DAY
from tests.standins.store import Json
from tests.standins.stripe import cards, customers, items, lifecycle, payments, subscriptions
from tests.standins.stripe.account import Account
from tests.standins.stripe.objects import fresh


def complete(account: Account, session: Json, *, email: str, card: cards.TestCard) -> Json:
    """Make the session's customer, card and subscription, payment or saved card.

    Raises the decline of the card; nothing is left behind then, and the person may try again.
    """
    customer = _customer(account, session, email)
    method = cards.attach(account, cards.made(account, card), customer["id"])
    if session["mode"] != "setup" and card.decline and session["amount_total"]:
        raise cards.declined(card.decline)
    outcome = _OUTCOMES[session["mode"]](account, session, customer, method)
    session |= {
        "customer": customer["id"],
        "customer_details": _details(customer, email),
        "status": "complete",
        "url": None,
        **outcome,
    }
    account.save(session)
    account.emit("checkout.session.completed", session)
    return session


def _details(customer: Json, email: str) -> Json:
    return {
        "address": customer["address"],
        "business_name": None,
        "email": customer["email"] or email,
        "individual_name": None,
        "name": customer["name"],
        "phone": customer["phone"],
        "tax_exempt": customer["tax_exempt"],
        "tax_ids": [],
    }


def _customer(account: Account, session: Json, email: str) -> Json:
    if session["customer"] is not None:
        return account.get("customer", session["customer"])
    made = customers.made(account, email=session["customer_email"] or email)
    return account.create(made, "customer.created")


def _subscribe(account: Account, session: Json, customer: Json, method: Json) -> Json:
    wanted = session["_subscription_data"]
    chosen = [
        items.made(account, line["price"], line["quantity"], {}) for line in session["_line_items"]
    ]
    items.check_together(chosen)
    subscription = subscriptions.made(account, customer["id"], chosen) | {
        "default_payment_method": method["id"],
        "description": wanted["description"],
        "metadata": wanted["metadata"],
        "trial_settings": wanted["trial_settings"],
    }
    days = wanted["trial_days"]
    trial_end = account.now + days * DAY if days else wanted["trial_end"]
    started = lifecycle.start(
        account, subscription, behavior="error_if_incomplete", trial_end=trial_end
    )
    invoice = account.get("invoice", started["latest_invoice"])
    status = "paid" if invoice["amount_due"] or not trial_end else "no_payment_required"
    return {"invoice": invoice["id"], "payment_status": status, "subscription": started["id"]}


def _pay(account: Account, session: Json, customer: Json, method: Json) -> Json:
    intent = payments.intend(
        account,
        amount=session["amount_total"],
        currency=session["currency"],
        customer=customer["id"],
        description=session["_intent_data"]["description"],
    )
    intent["metadata"] = session["_intent_data"]["metadata"]
    refusal = payments.attempt(account, intent, method)
    if refusal is not None:
        raise refusal
    return {"payment_intent": intent["id"], "payment_status": "paid"}


def _set_up(account: Account, session: Json, customer: Json, method: Json) -> Json:
    intent = fresh(
        "setup_intent",
        created=account.now,
        customer=customer["id"],
        description=session["_intent_data"]["description"],
        metadata=session["_intent_data"]["metadata"],
        payment_method=method["id"],
        status="succeeded",
    )
    account.create(intent, "setup_intent.succeeded")
    return {"setup_intent": intent["id"]}


_OUTCOMES = {"payment": _pay, "setup": _set_up, "subscription": _subscribe}
