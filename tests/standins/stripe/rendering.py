"""How an object leaves: without our notes, lists cut short, `expand` followed."""

from collections.abc import Callable
from typing import Any

from tests.standins.store import Json
from tests.standins.stripe.account import Account
from tests.standins.stripe.errors import invalid
from tests.standins.stripe.objects import listed, presented

# Attributes that hold an id, which `expand` replaces by the object.
_REFERENCES = {
    "balance_transaction": "balance_transaction",
    "charge": "charge",
    "configuration": "billing_portal.configuration",
    "coupon": "coupon",
    "customer": "customer",
    "default_payment_method": "payment_method",
    "default_price": "price",
    "invoice": "invoice",
    "latest_charge": "charge",
    "latest_invoice": "invoice",
    "payment_intent": "payment_intent",
    "payment_method": "payment_method",
    "pending_setup_intent": "setup_intent",
    "price": "price",
    "product": "product",
    "promotion_code": "promotion_code",
    "setup_intent": "setup_intent",
    "subscription": "subscription",
}


def _of_customer(account: Account, kind: str, body: Json) -> list[Json]:
    return account.find(kind, lambda one: one["customer"] == body["id"])


# Attributes that are there only when `expand` asks for them.
_INCLUDED: dict[tuple[str, str], Callable[[Account, Json], Any]] = {
    ("checkout.session", "line_items"): lambda _, body: listed(
        body["_line_items"], url=f"/v1/checkout/sessions/{body['id']}/line_items"
    ),
    ("invoice", "payments"): lambda account, body: listed(
        account.find("invoice_payment", lambda one: one["invoice"] == body["id"]),
        url=f"/v1/invoice_payments?invoice={body['id']}",
    ),
    ("customer", "subscriptions"): lambda account, body: listed(
        [one for one in _of_customer(account, "subscription", body) if one["status"] != "canceled"],
        url=f"/v1/customers/{body['id']}/subscriptions",
    ),
    ("customer", "tax_ids"): lambda account, body: listed(
        _of_customer(account, "tax_id", body), url=f"/v1/customers/{body['id']}/tax_ids"
    ),
    ("charge", "refunds"): lambda account, body: listed(
        account.find("refund", lambda one: one["charge"] == body["id"]),
        url=f"/v1/charges/{body['id']}/refunds",
    ),
    ("price", "tiers"): lambda _, body: body["_tiers"],
}


def rendered(account: Account, body: Json, expand: list[str]) -> Json:
    """What the client sees of `body`. Raises a 400 for what cannot be expanded."""
    # The notes go last: `expand` reads some of them.
    shown = dict(body)
    for path in expand:
        _expand(account, shown, path.split("."), path)
    answer: Json = presented(shown)
    return answer


def _expand(account: Account, body: Json, steps: list[str], path: str) -> None:
    key, *rest = steps
    include = _INCLUDED.get((body.get("object", ""), key))
    if include is not None:
        body[key] = include(account, body)
    elif key not in body:
        raise invalid(f"This property cannot be expanded ({path}).", param="expand")
    value = body[key]
    if isinstance(value, str):
        value = body[key] = _fetched(account, key, value, path)
    if rest:
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                _expand(account, inner, rest, path)


def _fetched(account: Account, key: str, ident: str, path: str) -> Json:
    if key not in _REFERENCES:
        raise invalid(f"This property cannot be expanded ({path}).", param="expand")
    return account.get(_REFERENCES[key], ident)
