"""Prices."""

from tests.standins.store import Json
from tests.standins.stripe import price_terms, products
from tests.standins.stripe.account import Account
from tests.standins.stripe.errors import invalid
from tests.standins.stripe.listing import page_of
from tests.standins.stripe.params import Params
from tests.standins.stripe.routes import Routes

routes = Routes()

_PRICE = (
    "currency active nickname product product_data recurring unit_amount unit_amount_decimal"
    " billing_scheme tiers tiers_mode transform_quantity tax_behavior lookup_key"
    " transfer_lookup_key metadata"
)


@routes.post("/v1/prices", _PRICE)
def create_price(account: Account, params: Params) -> Json:
    if "product_data" in params:
        given = params.inner("product_data")
        product = products.new_product(account, given, given.text("id"))
        account.create(product, "product.created")
    else:
        product = account.named_by(params, "product")
    price = price_terms.made(account, params, product=product["id"])
    _claim_lookup_key(account, price["lookup_key"], may_take=params.flag("transfer_lookup_key"))
    return account.create(price, "price.created")


def _claim_lookup_key(account: Account, key: str | None, *, may_take: bool | None) -> None:
    holders = account.find("price", lambda price: key is not None and price["lookup_key"] == key)
    if holders and not may_take:
        raise invalid(
            f"A price (`{holders[0]['id']}`) already uses that lookup key.", param="lookup_key"
        )
    for price in holders:
        account.change(price | {"lookup_key": None}, "price.updated")


def one_off_price(account: Account, params: Params) -> Json:
    """The price that `price_data` describes, kept as an inactive price of its product."""
    product = params.text("product")
    if product is None:
        unnamed = products.new_product(account, params.inner("product_data"), None)
        product = account.create(unnamed, "product.created")["id"]
    price = price_terms.made(account, params, product=product) | {"active": False}
    return account.create(price, "price.created")


@routes.get("/v1/prices/<price_id>")
def retrieve_price(account: Account, _: Params, price_id: str) -> Json:
    return account.get("price", price_id)


@routes.post(
    "/v1/prices/<price_id>", "active nickname metadata lookup_key transfer_lookup_key tax_behavior"
)
def update_price(account: Account, params: Params, price_id: str) -> Json:
    price = account.get("price", price_id)
    if "active" in params:
        price["active"] = params.flag("active")
    if "lookup_key" in params:
        key = params.text("lookup_key")
        if key != price["lookup_key"]:
            _claim_lookup_key(account, key, may_take=params.flag("transfer_lookup_key"))
        price["lookup_key"] = key
    for name in ("nickname", "tax_behavior"):
        if name in params:
            price[name] = params.text(name)
    price["metadata"] = params.into_metadata(price["metadata"])
    _show_in_subscriptions(account, price)
    return account.change(price, "price.updated")


def _show_in_subscriptions(account: Account, price: Json) -> None:
    """Items show the price as it is now, not as it was when they were made."""
    held = account.find(
        "subscription",
        lambda one: any(item["price"]["id"] == price["id"] for item in one["items"]["data"]),
    )
    for subscription in held:
        for item in subscription["items"]["data"]:
            if item["price"]["id"] == price["id"]:
                item["price"] = price
                item["plan"] |= {name: price[name] for name in ("active", "nickname", "metadata")}
        account.save(subscription)


@routes.list("/v1/prices", "active currency product type lookup_keys recurring")
def every_price(account: Account, params: Params) -> Json:
    keys = params.texts("lookup_keys")
    recurring = params.inner("recurring").values
    return page_of(
        account,
        "price",
        params,
        url="/v1/prices",
        equal=("active", "currency", "product", "type"),
        matches=lambda price: (
            (not keys or price["lookup_key"] in keys)
            and all(
                (price["recurring"] or {}).get(name) == value for name, value in recurring.items()
            )
        ),
    )
