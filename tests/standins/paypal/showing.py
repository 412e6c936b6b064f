"""How a subscription leaves: without our notes, with the links that its status allows."""

from tests.standins.paypal.merchant import Merchant
from tests.standins.paypal.objects import bare
from tests.standins.store import Json

PATH = "/v1/billing/subscriptions"


def approval_url(merchant: Merchant, token: str, *, update: bool = False) -> str:
    page = "/webapps/billing/subscriptions" + ("/update" if update else "")
    return f"{merchant.url}{page}?ba_token={token}"


def links(merchant: Merchant, subscription: Json) -> list[Json]:
    path = f"{PATH}/{subscription['id']}"
    own = [merchant.link(path, "edit", "PATCH"), merchant.link(path, "self")]
    turns = {
        "ACTIVE": ("cancel", "suspend", "capture"),
        "SUSPENDED": ("cancel", "activate", "capture"),
    }.get(subscription["status"], ())
    own += [merchant.link(f"{path}/{turn}", turn, "POST") for turn in turns]
    if subscription["status"] == "APPROVAL_PENDING":
        approve = {
            "href": approval_url(merchant, subscription["_token"]),
            "rel": "approve",
            "method": "GET",
        }
        own.insert(0, approve)
    return own


def shown(merchant: Merchant, subscription: Json) -> Json:
    return bare(subscription) | {"links": links(merchant, subscription)}
