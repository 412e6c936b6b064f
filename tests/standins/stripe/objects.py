"""Stripe's objects, each made from the official example of its kind."""

import json
import secrets
import string
from functools import cache
from pathlib import Path
from typing import Any

from tests.standins.store import Json, copied

SPEC = Path(__file__).parent.parent / "spec" / "stripe" / "fixtures3.json"
API_VERSION = "2026-10-28.endive"

LINES_SHOWN = 10

_LETTERS = string.ascii_letters + string.digits

PREFIXES = {
    "balance_transaction": "txn_",
    "billing.meter": "mtr_",
    "billing_portal.configuration": "bpc_",
    "billing_portal.session": "bps_",
    "charge": "ch_",
    "checkout.session": "cs_test_",
    "customer": "cus_",
    "customer_balance_transaction": "cbtxn_",
    "discount": "di_",
    "dispute": "dp_",
    "event": "evt_",
    "invoice": "in_",
    "invoice_payment": "inpay_",
    "invoiceitem": "ii_",
    "item": "li_",
    "line_item": "il_",
    "payment_intent": "pi_",
    "payment_method": "pm_",
    "price": "price_",
    "product": "prod_",
    "promotion_code": "promo_",
    "refund": "re_",
    "setup_intent": "seti_",
    "subscription": "sub_",
    "subscription_item": "si_",
    "tax_id": "txi_",
    "webhook_endpoint": "we_",
}

# What the official examples fill in for show and the API leaves null until somebody sets it.
_NULL_AT_FIRST = {
    "product": "default_price description package_dimensions",
    "price": "custom_unit_amount recurring transform_quantity",
    "plan": "transform_usage",
    "customer": "address currency discount shipping",
    "payment_method": "customer",
    "payment_intent": "amount_details automatic_payment_methods canceled_at last_payment_error"
    " next_action payment_method_configuration_details processing shipping transfer_data"
    " managed_payments",
    "charge": "balance_transaction description outcome receipt_url shipping transfer_data source"
    " refunds",
    "subscription": "billing_cycle_anchor_config cancel_at canceled_at ended_at"
    " next_pending_invoice_item_invoice pause_collection pending_invoice_item_interval"
    " pending_update transfer_data trial_end trial_start billing_thresholds managed_payments",
    "subscription_item": "billing_thresholds",
    "invoice": "customer_shipping due_date effective_at from_invoice last_finalization_error"
    " next_payment_attempt rendering shipping_cost shipping_details webhooks_delivered_at parent"
    " customer_address",
    "line_item": "parent",
    "invoiceitem": "parent",
    "checkout.session": "after_expiration consent consent_collection customer_details"
    " invoice_creation payment_intent payment_method_configuration_details"
    " saved_payment_method_options shipping_address_collection shipping_cost total_details"
    " adaptive_pricing collected_information permissions wallet_options currency_conversion"
    " managed_payments",
    "item": "adjustable_quantity",
    "billing_portal.session": "flow",
    "coupon": "currency duration_in_months percent_off redeem_by amount_off name",
    "promotion_code": "expires_at",
    "discount": "customer end",
    "setup_intent": "automatic_payment_methods last_setup_error next_action"
    " payment_method_configuration_details",
}

# In the examples, but no longer in the API version that the SDK speaks.
_GONE = {"invoice": ("subscription",)}


@cache
def examples() -> dict[str, Json]:
    resources: dict[str, Json] = json.loads(SPEC.read_text())["resources"]
    return resources


def random_text(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def new_id(kind: str) -> str:
    return PREFIXES[kind] + random_text(60 if kind == "checkout.session" else 24)


def fresh(kind: str, **values: object) -> Json:
    """The official example of `kind` with an id of its own, made neutral, with `values` set."""
    body: Json = copied(examples()[kind])
    for key in _NULL_AT_FIRST.get(kind, "").split():
        body[key] = None
    for key in _GONE.get(kind, ()):
        del body[key]
    if "metadata" in body:
        body["metadata"] = {}
    if "id" in body and kind in PREFIXES:
        body["id"] = new_id(kind)
    if "livemode" in body:
        body["livemode"] = False
    return body | values


def listed(data: list[Json], *, url: str, has_more: bool = False) -> Json:
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def bare(body: Json) -> Json:
    """Without the stand-in's own notes, which are kept under names that begin with `_`."""
    return {key: value for key, value in body.items() if not key.startswith("_")}


def presented(value: Any) -> Any:
    """What leaves the house: no notes at any depth; an invoice shows its first lines only."""
    if isinstance(value, list):
        return [presented(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    if value.get("object") == "invoice":
        lines = value["lines"]
        shown = {"data": lines["data"][:LINES_SHOWN], "has_more": len(lines["data"]) > LINES_SHOWN}
        value = value | {"lines": lines | shown}
    return {key: presented(inner) for key, inner in bare(value).items()}
