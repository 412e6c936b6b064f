"""`/v1/subscription_items`: the items of a subscription by addresses of their own."""

from tests.standins.store import Json
from tests.standins.stripe import changes
from tests.standins.stripe.account import Account
from tests.standins.stripe.errors import missing, no_such
from tests.standins.stripe.listing import page
from tests.standins.stripe.params import Params
from tests.standins.stripe.routes import Routes

routes = Routes()

_ITEM = ("price", "price_data", "quantity", "metadata")
_BILLING = "proration_behavior proration_date payment_behavior"


def _holder(account: Account, item_id: str) -> Json:
    """The subscription that has the item."""
    found = account.find(
        "subscription", lambda one: any(item["id"] == item_id for item in one["items"]["data"])
    )
    if not found:
        raise no_such("subscription_item", item_id)
    return found[0]


def _item(subscription: Json, item_id: str) -> Json:
    found: list[Json] = [one for one in subscription["items"]["data"] if one["id"] == item_id]
    return found[0]


def _change(account: Account, subscription: Json, params: Params, item: Json) -> Json:
    """The same change, said as an update of the subscription."""
    item |= {name: params.values[name] for name in _ITEM if name in params}
    rest = {name: value for name, value in params.values.items() if name not in _ITEM}
    rest.pop("subscription", None)
    return changes.update(account, subscription, Params({"items": [item], **rest}))


@routes.post("/v1/subscription_items", f"subscription {' '.join(_ITEM)} {_BILLING}")
def create(account: Account, params: Params) -> Json:
    before = account.named_by(params, "subscription")
    known = {item["id"] for item in before["items"]["data"]}
    after = _change(account, before, params, {})
    added: list[Json] = [item for item in after["items"]["data"] if item["id"] not in known]
    return added[0]


@routes.get("/v1/subscription_items/<item_id>")
def retrieve(account: Account, _: Params, item_id: str) -> Json:
    return _item(_holder(account, item_id), item_id)


@routes.post("/v1/subscription_items/<item_id>", f"{' '.join(_ITEM)} {_BILLING}")
def update(account: Account, params: Params, item_id: str) -> Json:
    return _item(_change(account, _holder(account, item_id), params, {"id": item_id}), item_id)


@routes.delete("/v1/subscription_items/<item_id>", "proration_behavior proration_date")
def delete(account: Account, params: Params, item_id: str) -> Json:
    _change(account, _holder(account, item_id), params, {"id": item_id, "deleted": "true"})
    return {"id": item_id, "object": "subscription_item", "deleted": True}


@routes.list("/v1/subscription_items", "subscription")
def every(account: Account, params: Params) -> Json:
    if params.text("subscription") is None:
        raise missing("subscription")
    subscription = account.named_by(params, "subscription")
    return page(subscription["items"]["data"], params, url="/v1/subscription_items")
