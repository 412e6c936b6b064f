"""Products of the catalogue."""

from tests.standins.paypal import patches
from tests.standins.paypal.errors import PayPalError, missing
from tests.standins.paypal.merchant import Answer, Call, Merchant
from tests.standins.paypal.objects import bare, moment, new_id
from tests.standins.paypal.paging import page_of
from tests.standins.paypal.routes import Routes
from tests.standins.store import Json

routes = Routes("catalogs_products_v1")

_PATH = "/v1/catalogs/products"
_FIELDS = ("name", "description", "type", "category", "image_url", "home_url")


@routes.on("POST", _PATH)
def create(merchant: Merchant, call: Call) -> Answer:
    if not call.body.get("name"):
        raise missing("/name")
    if not call.body.get("type"):
        raise missing("/type")
    ident = call.body.get("id") or new_id("PROD-", 17)
    if merchant.store.get("product", ident) is not None:
        raise PayPalError(422, "DUPLICATE_RESOURCE_IDENTIFIER", "A product with this ID exists.")
    product: Json = {"id": ident}
    product |= {name: call.body[name] for name in _FIELDS if name in call.body}
    product |= {"create_time": moment(merchant.now), "update_time": moment(merchant.now)}
    product["links"] = [
        merchant.link(f"{_PATH}/{ident}", "self"),
        merchant.link(f"{_PATH}/{ident}", "edit", "PATCH"),
    ]
    merchant.save("product", product)
    merchant.emit("CATALOG.PRODUCT.CREATED", product)
    minimal = ("id", "name", "description", "create_time", "links")
    shown = product if call.wants_whole else {k: v for k, v in product.items() if k in minimal}
    return Answer(201, shown)


@routes.on("GET", _PATH)
def every(merchant: Merchant, call: Call) -> Answer:
    names = ("id", "name", "description", "create_time", "links")
    found = [
        {key: value for key, value in bare(product).items() if key in names}
        for product in merchant.find("product")
    ]
    for product in found:
        product["links"] = product["links"][:1]
    return page_of(merchant, call, found, name="products", path=_PATH)


@routes.on("GET", f"{_PATH}/{{product_id}}")
def retrieve(merchant: Merchant, _: Call, product_id: str) -> Answer:
    return Answer(200, merchant.get("product", product_id))


@routes.on("PATCH", f"{_PATH}/{{product_id}}")
def change(merchant: Merchant, call: Call, product_id: str) -> Answer:
    product = merchant.get("product", product_id)
    allowed = {
        f"/{name}": ("add replace remove", patches.set_at(name))
        for name in ("description", "category", "image_url", "home_url")
    }
    patches.apply(product, call.body, allowed)
    merchant.save("product", product | {"update_time": moment(merchant.now)})
    merchant.emit("CATALOG.PRODUCT.UPDATED", product)
    return Answer(204)
