"""A subscription's items: parsed from a request, checked against each other."""

from tests.standins.store import Json, copied
from tests.standins.stripe import prices
from tests.standins.stripe.account import Account
from tests.standins.stripe.errors import dangling, invalid, missing
from tests.standins.stripe.objects import fresh
from tests.standins.stripe.params import Params

_FIELDS = ("id", "deleted", "price", "price_data", "quantity", "metadata")


def plan_of(price: Json) -> Json:
    """The older shape of a recurring price, which items still carry beside it."""
    recurring = price["recurring"]
    return fresh(
        "plan",
        active=price["active"],
        amount=price["unit_amount"],
        amount_decimal=price["unit_amount_decimal"],
        billing_scheme=price["billing_scheme"],
        created=price["created"],
        currency=price["currency"],
        id=price["id"],
        interval=recurring["interval"],
        interval_count=recurring["interval_count"],
        metadata=price["metadata"],
        meter=recurring["meter"],
        nickname=price["nickname"],
        product=price["product"],
        tiers_mode=price["tiers_mode"],
        trial_period_days=recurring["trial_period_days"],
        usage_type=recurring["usage_type"],
    )


def set_price(item: Json, price: Json) -> None:
    item |= {"price": price, "plan": plan_of(price)}


def made(account: Account, price: Json, quantity: int | None, metadata: dict[str, str]) -> Json:
    is_metered = price["recurring"]["usage_type"] == "metered"
    if is_metered and quantity is not None:
        raise invalid("You cannot set `quantity` on a metered price.", param="quantity")
    item = fresh(
        "subscription_item",
        created=account.now,
        metadata=metadata,
        quantity=None if is_metered else (1 if quantity is None else quantity),
    )
    set_price(item, price)
    return item


def price_for(account: Account, params: Params) -> Json:
    """The recurring, active price that an item asks for by id or describes."""
    if "price_data" in params:
        price = prices.one_off_price(account, params.inner("price_data"))
    else:
        price = account.named_by(params, "price")
        if not price["active"]:
            raise invalid(
                f"The price specified is inactive: {price['id']}.", param=params.named("price")
            )
    if price["recurring"] is None:
        raise invalid(
            "The price specified is set to `type=one_time` but this field only accepts prices "
            "with `type=recurring`.",
            param=params.named("price"),
        )
    return price


def asked_for(account: Account, params: Params) -> list[Json]:
    """The items of a new subscription."""
    found = []
    for given in params.each("items"):
        given.only(*_FIELDS)
        price = price_for(account, given)
        found.append(made(account, price, given.integer("quantity"), given.into_metadata(None)))
    if not found:
        raise missing("items")
    check_together(found)
    return found


def check_together(found: list[Json]) -> None:
    cycles = {
        (item["price"]["recurring"]["interval"], item["price"]["recurring"]["interval_count"])
        for item in found
    }
    if len(cycles) > 1:
        raise invalid(
            "This stand-in bills all items of a subscription by one interval.", param="items"
        )
    if len({item["price"]["currency"] for item in found}) > 1:
        raise invalid("All prices of a subscription must use one currency.", param="items")
    if len({item["price"]["id"] for item in found}) < len(found):
        raise invalid("Subscription items must have prices of their own.", param="items")


def merged(account: Account, subscription: Json, params: Params) -> list[Json]:
    """The items after an update: changed by id, added without one, removed by `deleted`."""
    present = {item["id"]: copied(item) for item in subscription["items"]["data"]}
    period = {
        key: subscription["items"]["data"][0][key]
        for key in ("current_period_start", "current_period_end")
    }
    for given in params.each("items"):
        given.only(*_FIELDS)
        ident = given.text("id")
        if ident is None:
            price = price_for(account, given)
            item = made(account, price, given.integer("quantity"), given.into_metadata(None))
            present[item["id"]] = item | period | {"subscription": subscription["id"]}
        elif ident not in present:
            raise dangling("subscription_item", ident, param=given.named("id"))
        elif given.flag("deleted"):
            del present[ident]
        else:
            _alter(account, present[ident], given)
    if not present:
        raise invalid("A subscription must have at least one active plan.", param="items")
    check_together(list(present.values()))
    return list(present.values())


def _alter(account: Account, item: Json, given: Params) -> None:
    quantity = given.integer("quantity")
    if "price" in given or "price_data" in given:
        price = price_for(account, given)
        if price["id"] != item["price"]["id"]:
            # Stripe's own trap: another price without a quantity starts at 1 again.
            item["quantity"] = None if price["recurring"]["usage_type"] == "metered" else 1
        set_price(item, price)
    if quantity is not None:
        item["quantity"] = quantity
    item["metadata"] = given.into_metadata(item["metadata"])
