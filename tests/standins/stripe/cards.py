"""Payment methods: Stripe's test cards, and how each behaves."""

from dataclasses import dataclass

from tests.standins.store import Json
from tests.standins.stripe.account import Account
from tests.standins.stripe.errors import StripeError, dangling, invalid
from tests.standins.stripe.listing import page_of
from tests.standins.stripe.objects import fresh
from tests.standins.stripe.params import Params
from tests.standins.stripe.routes import Routes

routes = Routes()


@dataclass(frozen=True)
class TestCard:
    """One of docs.stripe.com/testing. `decline` is its decline code; "" pays."""

    name: str
    number: str
    brand: str = "visa"
    decline: str = ""
    attaches: bool = True


CARDS = (
    TestCard("visa", "4242424242424242"),
    TestCard("mastercard", "5555555555554444", "mastercard"),
    TestCard("amex", "378282246310005", "amex"),
    TestCard("chargeCustomerFail", "4000000000000341", decline="generic_decline"),
    TestCard("chargeDeclined", "4000000000000002", decline="generic_decline", attaches=False),
    TestCard(
        "chargeDeclinedInsufficientFunds",
        "4000000000009995",
        decline="insufficient_funds",
        attaches=False,
    ),
)
_BY_NAME = {card.name.lower(): card for card in CARDS}
_BY_NUMBER = {card.number: card for card in CARDS}
_TOKENS = ("pm_card_", "tok_")


def declined(code: str, **facts: object) -> StripeError:
    message = (
        "Your card has insufficient funds."
        if code == "insufficient_funds"
        else ("Your card was declined.")
    )
    return StripeError(
        message, status=402, kind="card_error", code="card_declined", decline_code=code, **facts
    )


def token_card(token: str) -> TestCard | None:
    """The card behind `pm_card_visa` or `tok_visa`."""
    for prefix in _TOKENS:
        if token.startswith(prefix):
            return _BY_NAME.get(token.removeprefix(prefix).lower())
    return None


def made(account: Account, card: TestCard) -> Json:
    """A payment method over a test card, not yet attached to anybody."""
    method = fresh("payment_method", created=account.now, _decline=card.decline)
    method["_attaches"] = card.attaches
    method["billing_details"] |= {"email": None, "phone": None, "name": None}
    method["billing_details"]["address"] = dict.fromkeys(method["billing_details"]["address"])
    method["card"] |= {
        "brand": card.brand,
        "display_brand": card.brand,
        "exp_month": 12,
        "exp_year": 2040,
        "generated_from": None,
        "last4": card.number[-4:],
        "networks": {"available": [card.brand], "preferred": None},
        "wallet": None,
    }
    return account.save(method)


def found(account: Account, ident: str, *, param: str) -> Json:
    """The payment method; a test token makes a new one, as it does at Stripe."""
    card = token_card(ident)
    if card is not None:
        return made(account, card)
    method = account.store.get("payment_method", ident)
    if method is None:
        raise dangling("PaymentMethod", ident, param=param)
    return method


def attach(account: Account, method: Json, customer: str) -> Json:
    """Give the method to the customer. Raises card_declined for a card that fails the check."""
    if not method["_attaches"]:
        raise declined(method["_decline"])
    if method["customer"] not in (None, customer):
        raise invalid("The payment method you provided has already been attached to a customer.")
    return account.change(method | {"customer": customer}, "payment_method.attached")


@routes.post("/v1/payment_methods", "type card billing_details metadata")
def create(account: Account, params: Params) -> Json:
    params.one_of("type", ("card",), params.required("type"))
    given = params.inner("card")
    card = token_card(given.text("token") or "") or _BY_NUMBER.get(given.text("number") or "")
    if card is None:
        raise invalid("Not one of the test cards that this stand-in knows.", param="card")
    method = made(account, card)
    method["billing_details"] |= params.inner("billing_details").values
    method["metadata"] = params.into_metadata(None)
    return account.save(method)


@routes.get("/v1/payment_methods/<method_id>")
def retrieve(account: Account, _: Params, method_id: str) -> Json:
    card = token_card(method_id)
    return made(account, card) if card else account.get("payment_method", method_id)


@routes.post("/v1/payment_methods/<method_id>/attach", "customer")
def attach_to(account: Account, params: Params, method_id: str) -> Json:
    customer = account.named_by(params, "customer")
    return attach(account, found(account, method_id, param="payment_method"), customer["id"])


@routes.post("/v1/payment_methods/<method_id>/detach")
def detach(account: Account, _: Params, method_id: str) -> Json:
    method = account.get("payment_method", method_id)
    customer = account.store.get("customer", method["customer"] or "")
    if customer and customer["invoice_settings"]["default_payment_method"] == method_id:
        customer["invoice_settings"]["default_payment_method"] = None
        account.change(customer, "customer.updated")
    return account.change(method | {"customer": None}, "payment_method.detached")


@routes.list("/v1/payment_methods", "customer type")
def every(account: Account, params: Params) -> Json:
    return page_of(
        account, "payment_method", params, url="/v1/payment_methods", equal=("customer", "type")
    )


@routes.list("/v1/customers/<customer_id>/payment_methods", "type")
def every_of(account: Account, params: Params, customer_id: str) -> Json:
    account.get("customer", customer_id)
    return page_of(
        account,
        "payment_method",
        params,
        url=f"/v1/customers/{customer_id}/payment_methods",
        equal=("type",),
        matches=lambda method: method["customer"] == customer_id,
    )
