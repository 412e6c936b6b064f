"""Customers, their tax ids and their credit balance."""

from tests.standins.store import Json
from tests.standins.stripe import cards
from tests.standins.stripe.account import Account
from tests.standins.stripe.errors import invalid, missing
from tests.standins.stripe.listing import page_of
from tests.standins.stripe.objects import fresh, random_text
from tests.standins.stripe.params import Params
from tests.standins.stripe.routes import Routes

routes = Routes()

_FIELDS = (
    "name email phone description metadata address shipping balance"
    " invoice_settings preferred_locales tax_exempt invoice_prefix"
)
_TEXTS = ("name", "email", "phone", "description", "invoice_prefix")
_TAX_EXEMPT = ("exempt", "none", "reverse")
_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


@routes.post("/v1/customers", f"{_FIELDS} payment_method tax_id_data")
def create(account: Account, params: Params) -> Json:
    customer = made(account)
    _fill(account, customer, params)
    account.create(customer, "customer.created")
    for given in params.each("tax_id_data"):
        _add_tax_id(account, given, customer["id"])
    return _with_card(account, customer, params)


def made(account: Account, **values: object) -> Json:
    """A customer as new as can be; not yet written."""
    customer = fresh("customer", created=account.now, invoice_prefix=random_text(8).upper())
    return customer | values


def _fill(account: Account, customer: Json, params: Params) -> None:
    for name in _TEXTS:
        if name in params:
            customer[name] = params.text(name)
    if "balance" in params:
        customer["balance"] = params.integer("balance")
    customer["tax_exempt"] = params.one_of("tax_exempt", _TAX_EXEMPT, customer["tax_exempt"])
    if "address" in params:
        customer["address"] = address_of(params.inner("address"))
    if "shipping" in params:
        customer["shipping"] = _shipping_of(params.inner("shipping"))
    if "preferred_locales" in params:
        customer["preferred_locales"] = params.texts("preferred_locales")
    customer["metadata"] = params.into_metadata(customer["metadata"])


def _shipping_of(params: Params) -> Json:
    return {
        "address": address_of(params.inner("address")),
        "name": params.required("name"),
        "phone": params.text("phone"),
    }


def address_of(params: Params) -> Json:
    params.only(*_ADDRESS)
    return {name: params.text(name) for name in _ADDRESS}


def _with_card(account: Account, customer: Json, params: Params) -> Json:
    if (ident := params.text("payment_method")) is not None:
        method = cards.found(account, ident, param="payment_method")
        cards.attach(account, method, customer["id"])
    settings = params.inner("invoice_settings")
    settings.only("default_payment_method", "footer")
    if "footer" in settings:
        customer["invoice_settings"]["footer"] = settings.text("footer")
    if "default_payment_method" in settings:
        chosen = settings.text("default_payment_method")
        if chosen is not None and params.text("payment_method") == chosen:
            chosen = method["id"]  # a test token named twice is one card
        customer["invoice_settings"]["default_payment_method"] = _own_card(
            account, customer, chosen
        )
    return account.change(customer, "customer.updated")


def _own_card(account: Account, customer: Json, ident: str | None) -> str | None:
    if ident is None:
        return None
    method = cards.found(account, ident, param="invoice_settings[default_payment_method]")
    if method["customer"] != customer["id"]:
        raise invalid(
            f"The customer does not have a payment method with the ID {ident}. The payment method "
            "must be attached to the customer.",
            param="invoice_settings[default_payment_method]",
        )
    return str(method["id"])


@routes.get("/v1/customers/<customer_id>")
def retrieve(account: Account, _: Params, customer_id: str) -> Json:
    gone = account.store.get("deleted_customer", customer_id)
    return gone or account.get("customer", customer_id)


@routes.post("/v1/customers/<customer_id>", _FIELDS)
def update(account: Account, params: Params, customer_id: str) -> Json:
    customer = account.get("customer", customer_id)
    _fill(account, customer, params)
    return _with_card(account, customer, params)


@routes.delete("/v1/customers/<customer_id>")
def delete(account: Account, _: Params, customer_id: str) -> Json:
    """Ends the customer's subscriptions too."""
    # Imported late: subscriptions know customers.
    from tests.standins.stripe import lifecycle

    customer = account.get("customer", customer_id)
    for subscription in account.find("subscription", lambda one: one["customer"] == customer_id):
        lifecycle.end(account, subscription, reason="cancellation_requested")
    gone = account.remove(customer, "customer.deleted")
    account.store.put("deleted_customer", customer_id, gone)
    return gone


@routes.list("/v1/customers", "email")
def every(account: Account, params: Params) -> Json:
    return page_of(account, "customer", params, url="/v1/customers", equal=("email",))


def _add_tax_id(account: Account, params: Params, customer: str) -> Json:
    value = params.required("value")
    body = fresh(
        "tax_id",
        country=value[:2].upper() if value[:2].isalpha() else None,
        created=account.now,
        customer=customer,
        type=params.required("type"),
        value=value,
    )
    body["owner"]["customer"] = customer
    return account.create(body, "customer.tax_id.created")


@routes.post("/v1/customers/<customer_id>/tax_ids", "type value")
def create_tax_id(account: Account, params: Params, customer_id: str) -> Json:
    account.get("customer", customer_id)
    return _add_tax_id(account, params, customer_id)


@routes.list("/v1/customers/<customer_id>/tax_ids")
def every_tax_id(account: Account, params: Params, customer_id: str) -> Json:
    return page_of(
        account,
        "tax_id",
        params,
        url=f"/v1/customers/{customer_id}/tax_ids",
        matches=lambda body: body["customer"] == customer_id,
    )


@routes.delete("/v1/customers/<customer_id>/tax_ids/<tax_id>")
def delete_tax_id(account: Account, _: Params, customer_id: str, tax_id: str) -> Json:
    account.get("customer", customer_id)
    return account.remove(account.get("tax_id", tax_id), "customer.tax_id.deleted")


@routes.post(
    "/v1/customers/<customer_id>/balance_transactions", "amount currency description metadata"
)
def create_balance_transaction(account: Account, params: Params, customer_id: str) -> Json:
    amount = params.integer("amount")
    if amount is None:
        raise missing("amount")
    customer = account.get("customer", customer_id)
    return move_balance(
        account,
        customer,
        amount=amount,
        currency=params.required("currency"),
        description=params.text("description"),
        metadata=params.into_metadata(None),
    )


def move_balance(
    account: Account, customer: Json, *, amount: int, currency: str, **facts: object
) -> Json:
    """Add `amount` to the balance: below zero the customer has credit, above zero a debt."""
    if customer["currency"] not in (None, currency):
        raise invalid("The balance of a customer has one currency.", param="currency")
    customer |= {"balance": customer["balance"] + amount, "currency": currency}
    account.change(customer, "customer.updated")
    return account.save(
        fresh(
            "customer_balance_transaction",
            created=account.now,
            amount=amount,
            currency=currency,
            customer=customer["id"],
            ending_balance=customer["balance"],
            **facts,
        )
    )


@routes.list("/v1/customers/<customer_id>/balance_transactions")
def every_balance_transaction(account: Account, params: Params, customer_id: str) -> Json:
    return page_of(
        account,
        "customer_balance_transaction",
        params,
        url=f"/v1/customers/{customer_id}/balance_transactions",
        matches=lambda body: body["customer"] == customer_id,
    )
