"""Webhook endpoints, events, and the signature that Stripe puts on each."""

import hashlib
import hmac
import json
import secrets
import time

from tests.standins.deliveries import Letter
from tests.standins.store import Json
from tests.standins.stripe.account import Account
from tests.standins.stripe.errors import missing
from tests.standins.stripe.listing import page_of
from tests.standins.stripe.objects import bare, fresh
from tests.standins.stripe.params import Params
from tests.standins.stripe.routes import Routes

routes = Routes()

PLAZA = "we_standin_plaza"


def register(account: Account, *, url: str, secret: str) -> None:
    """The endpoint that is there from the beginning, wanting everything."""
    endpoint = fresh(
        "webhook_endpoint",
        id=PLAZA,
        created=account.now,
        description="Put in by the stand-in",
        enabled_events=["*"],
        status="enabled",
        url=url,
        _secret=secret,
    )
    account.save(endpoint)


def signed(account: Account, delivery: Json) -> Letter | None:
    """The event as it goes out, with `Stripe-Signature` over the second of now."""
    event = account.store.get("event", delivery["event"])
    endpoint = account.store.get("webhook_endpoint", delivery["endpoint"])
    if event is None or endpoint is None or endpoint["status"] != "enabled":
        return None
    body = json.dumps(event, indent=2).encode()
    # The receiver compares with its own clock, so the wall's time and not the stand-in's.
    header = signature(body, secret=endpoint["_secret"], at=int(time.time()))
    return Letter(endpoint["url"], {"Stripe-Signature": header}, body)


def signature(body: bytes, *, secret: str, at: int) -> str:
    """`t=…,v1=…`: HMAC-SHA256 over "seconds.body", docs.stripe.com/webhooks/signature."""
    mac = hmac.new(secret.encode(), str(at).encode() + b"." + body, hashlib.sha256)
    return f"t={at},v1={mac.hexdigest()}"


@routes.post("/v1/webhook_endpoints", "url enabled_events description metadata api_version")
def create(account: Account, params: Params) -> Json:
    if not params.texts("enabled_events"):
        raise missing("enabled_events")
    secret = f"whsec_{secrets.token_hex(16)}"
    endpoint = fresh(
        "webhook_endpoint",
        api_version=params.text("api_version"),
        created=account.now,
        description=params.text("description"),
        enabled_events=params.texts("enabled_events"),
        metadata=params.into_metadata(None),
        status="enabled",
        url=params.required("url"),
        _secret=secret,
    )
    account.save(endpoint)
    return endpoint | {"secret": secret}  # shown this once


@routes.get("/v1/webhook_endpoints/<endpoint_id>")
def retrieve(account: Account, _: Params, endpoint_id: str) -> Json:
    return account.get("webhook_endpoint", endpoint_id)


@routes.post(
    "/v1/webhook_endpoints/<endpoint_id>", "url enabled_events description metadata disabled"
)
def update(account: Account, params: Params, endpoint_id: str) -> Json:
    endpoint = account.get("webhook_endpoint", endpoint_id)
    endpoint["url"] = params.text("url") or endpoint["url"]
    endpoint["enabled_events"] = params.texts("enabled_events") or endpoint["enabled_events"]
    if "description" in params:
        endpoint["description"] = params.text("description")
    if (disabled := params.flag("disabled")) is not None:
        endpoint["status"] = "disabled" if disabled else "enabled"
    endpoint["metadata"] = params.into_metadata(endpoint["metadata"])
    return account.save(endpoint)


@routes.delete("/v1/webhook_endpoints/<endpoint_id>")
def delete(account: Account, _: Params, endpoint_id: str) -> Json:
    endpoint = account.get("webhook_endpoint", endpoint_id)
    account.store.delete("webhook_endpoint", endpoint_id)
    return {"id": endpoint["id"], "object": "webhook_endpoint", "deleted": True}


@routes.list("/v1/webhook_endpoints")
def every(account: Account, params: Params) -> Json:
    return page_of(account, "webhook_endpoint", params, url="/v1/webhook_endpoints")


@routes.get("/v1/events/<event_id>")
def retrieve_event(account: Account, _: Params, event_id: str) -> Json:
    return bare(account.get("event", event_id))


@routes.list("/v1/events", "type types")
def every_event(account: Account, params: Params) -> Json:
    types = params.texts("types")
    return page_of(
        account,
        "event",
        params,
        url="/v1/events",
        equal=("type",),
        matches=lambda event: not types or event["type"] in types,
    )
