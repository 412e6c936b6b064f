"""Products."""

from tests.standins.store import Json
from tests.standins.stripe import price_terms
from tests.standins.stripe.account import Account
from tests.standins.stripe.errors import invalid
from tests.standins.stripe.listing import page_of
from tests.standins.stripe.objects import fresh
from tests.standins.stripe.params import Params
from tests.standins.stripe.routes import Routes

routes = Routes()

_PRODUCT = "name active description metadata unit_label statement_descriptor url tax_code"


@routes.post("/v1/products", f"id default_price_data {_PRODUCT}")
def create_product(account: Account, params: Params) -> Json:
    ident = params.text("id")
    if ident is not None and account.store.get("product", ident) is not None:
        raise invalid("Product already exists.", param="id", code="resource_already_exists")
    product = new_product(account, params, ident)
    account.create(product, "product.created")
    if "default_price_data" in params:
        price = price_terms.made(account, params.inner("default_price_data"), product=product["id"])
        account.create(price, "price.created")
        product["default_price"] = price["id"]
        account.save(product)
    return product


def new_product(account: Account, params: Params, ident: str | None) -> Json:
    product = fresh(
        "product",
        active=params.flag("active") is not False,
        created=account.now,
        updated=account.now,
        name=params.required("name"),
        metadata=params.into_metadata(None),
        type="service",
        url=params.text("url"),
    )
    for name in ("description", "unit_label", "statement_descriptor", "tax_code"):
        product[name] = params.text(name)
    return product if ident is None else product | {"id": ident}


@routes.get("/v1/products/<product_id>")
def retrieve_product(account: Account, _: Params, product_id: str) -> Json:
    return account.get("product", product_id)


@routes.post("/v1/products/<product_id>", f"default_price {_PRODUCT}")
def update_product(account: Account, params: Params, product_id: str) -> Json:
    product = account.get("product", product_id)
    product["name"] = params.text("name") or product["name"]
    for name in ("description", "unit_label", "statement_descriptor", "url", "tax_code"):
        if name in params:
            product[name] = params.text(name)
    if "active" in params:
        product["active"] = params.flag("active")
    if "default_price" in params:
        product["default_price"] = account.named_by(params, "default_price", "price")["id"]
    product["metadata"] = params.into_metadata(product["metadata"])
    if product == account.get("product", product_id):
        return product
    return account.change(product | {"updated": account.now}, "product.updated")


@routes.delete("/v1/products/<product_id>")
def delete_product(account: Account, _: Params, product_id: str) -> Json:
    product = account.get("product", product_id)
    if account.find("price", lambda price: price["product"] == product_id):
        raise invalid(
            "This product cannot be deleted because it has one or more user-created prices."
        )
    return account.remove(product, "product.deleted")


@routes.list("/v1/products", "active ids url")
def every_product(account: Account, params: Params) -> Json:
    ids = params.texts("ids")
    return page_of(
        account,
        "product",
        params,
        url="/v1/products",
        equal=("active", "url"),
        matches=lambda product: not ids or product["id"] in ids,
    )
