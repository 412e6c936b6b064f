"""Webhooks: registered, signed, listed, sent again, verified."""

import json
from datetime import UTC, datetime
from uuid import uuid4

from tests.standins.deliveries import Letter
from tests.standins.paypal import certificates, patches
from tests.standins.paypal.certificates import Certificates
from tests.standins.paypal.errors import invalid, missing
from tests.standins.paypal.merchant import SUMMARIES, Answer, Call, Merchant
from tests.standins.paypal.objects import new_id, seconds
from tests.standins.paypal.routes import Routes
from tests.standins.store import Json

routes = Routes("notifications_webhooks_v1")

_PATH = "/v1/notifications/webhooks"
CERTIFICATES = "/v1/notifications/certs"
_SIGNATURE = [
    "auth_algo",
    "cert_url",
    "transmission_id",
    "transmission_sig",
    "transmission_time",
    "webhook_id",
    "webhook_event",
]


def register(merchant: Merchant, *, url: str, ident: str) -> Json:
    webhook: Json = {"id": ident, "url": url, "event_types": [{"name": "*"}]}
    return merchant.save("webhook", webhook)


def canonical(event: Json) -> bytes:
    """The bytes of an event; parsing and writing it again gives the same ones."""
    return json.dumps(event, separators=(",", ":")).encode()


def signed(merchant: Merchant, keeper: Certificates, delivery: Json) -> Letter | None:
    event = merchant.store.get("event", delivery["event"])
    webhook = merchant.store.get("webhook", delivery["endpoint"])
    if event is None or webhook is None:
        return None
    body = canonical(event)
    # The receiver compares with its own clock, so the wall's time and not the stand-in's.
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    transmission = str(uuid4())
    text = certificates.message(
        transmission_id=transmission, at=at, webhook_id=webhook["id"], body=body
    )
    cert, signature = keeper.sign(text)
    headers = {
        "PAYPAL-TRANSMISSION-ID": transmission,
        "PAYPAL-TRANSMISSION-TIME": at,
        "PAYPAL-TRANSMISSION-SIG": signature,
        "PAYPAL-CERT-URL": f"{merchant.url}{CERTIFICATES}/{cert}",
        "PAYPAL-AUTH-ALGO": certificates.ALGORITHM,
        "PAYPAL-AUTH-VERSION": "v2",
        "CORRELATION-ID": uuid4().hex[:13],
    }
    return Letter(webhook["url"], headers, body)


def is_genuine(merchant: Merchant, keeper: Certificates, claim: Json) -> bool:
    """Whether the claimed transmission is one of ours, for a webhook of this merchant."""
    prefix = f"{merchant.url}{CERTIFICATES}/"
    if claim["auth_algo"] != certificates.ALGORITHM or not claim["cert_url"].startswith(prefix):
        return False
    if merchant.store.get("webhook", claim["webhook_id"]) is None:
        return False
    text = certificates.message(
        transmission_id=claim["transmission_id"],
        at=claim["transmission_time"],
        webhook_id=claim["webhook_id"],
        body=canonical(claim["webhook_event"]),
    )
    cert = claim["cert_url"].removeprefix(prefix)
    return keeper.is_signed(cert, text, claim["transmission_sig"])


@routes.on("POST", "/v1/notifications/verify-webhook-signature")
def verify(merchant: Merchant, call: Call) -> Answer:
    for name in _SIGNATURE:
        if name not in call.body:
            raise missing(f"/{name}")
    genuine = is_genuine(merchant, Certificates(merchant.store), call.body)
    return Answer(200, {"verification_status": "SUCCESS" if genuine else "FAILURE"})


def _shown(merchant: Merchant, webhook: Json) -> Json:
    path = f"{_PATH}/{webhook['id']}"
    links = [
        merchant.link(path, "self"),
        merchant.link(path, "update", "PATCH"),
        merchant.link(path, "delete", "DELETE"),
    ]
    return webhook | {"links": links}


@routes.on("POST", _PATH)
def create(merchant: Merchant, call: Call) -> Answer:
    for name in ("url", "event_types"):
        if not call.body.get(name):
            raise missing(f"/{name}")
    _check_types(call.body["event_types"])
    webhook = {
        "id": new_id("", 17),
        "url": call.body["url"],
        "event_types": [{"name": one["name"]} for one in call.body["event_types"]],
    }
    merchant.save("webhook", webhook)
    return Answer(201, _shown(merchant, webhook))


def _check_types(given: list[Json]) -> None:
    for one in given:
        if one["name"] != "*" and one["name"] not in SUMMARIES:
            raise invalid("/event_types/name", f"This stand-in sends no {one['name']}.")


@routes.on("GET", _PATH)
def every(merchant: Merchant, _: Call) -> Answer:
    found = [_shown(merchant, webhook) for webhook in merchant.find("webhook")]
    return Answer(200, {"webhooks": found})


@routes.on("GET", f"{_PATH}/{{webhook_id}}")
def retrieve(merchant: Merchant, _: Call, webhook_id: str) -> Answer:
    return Answer(200, _shown(merchant, merchant.get("webhook", webhook_id)))


@routes.on("PATCH", f"{_PATH}/{{webhook_id}}")
def change(merchant: Merchant, call: Call, webhook_id: str) -> Answer:
    webhook = merchant.get("webhook", webhook_id)
    allowed = {f"/{name}": ("replace", patches.set_at(name)) for name in ("url", "event_types")}
    patches.apply(webhook, call.body, allowed)
    _check_types(webhook["event_types"])
    merchant.save("webhook", webhook)
    return Answer(200, _shown(merchant, webhook))


@routes.on("DELETE", f"{_PATH}/{{webhook_id}}")
def delete(merchant: Merchant, _: Call, webhook_id: str) -> Answer:
    merchant.get("webhook", webhook_id)
    merchant.store.delete("webhook", webhook_id)
    return Answer(204)


@routes.on("GET", f"{_PATH}/{{webhook_id}}/event-types")
def types_of(merchant: Merchant, _: Call, webhook_id: str) -> Answer:
    return Answer(200, {"event_types": merchant.get("webhook", webhook_id)["event_types"]})


@routes.on("GET", "/v1/notifications/webhooks-event-types")
def types(_: Merchant, __: Call) -> Answer:
    found = [
        {"name": name, "description": text, "status": "ENABLED", "resource_versions": ["2.0"]}
        for name, (_kind, text) in SUMMARIES.items()
    ]
    return Answer(200, {"event_types": found})


@routes.on("GET", "/v1/notifications/webhooks-events")
def events(merchant: Merchant, call: Call) -> Answer:
    """Newest first; `start_time`, `end_time`, `event_type` and `page_size` as filters."""
    query = call.query
    start = seconds(query["start_time"], field="start_time") if "start_time" in query else 0
    end = seconds(query["end_time"], field="end_time") if "end_time" in query else merchant.now
    wanted = query.get("event_type")
    found = merchant.find(
        "event",
        lambda event: (
            start <= seconds(event["create_time"], field="create_time") <= end
            and wanted in (None, event["event_type"])
        ),
    )[::-1]
    shown = found[: int(query.get("page_size", "10"))]
    link = merchant.link("/v1/notifications/webhooks-events", "self")
    return Answer(200, {"events": shown, "count": len(shown), "links": [link]})


@routes.on("GET", "/v1/notifications/webhooks-events/{event_id}")
def event(merchant: Merchant, _: Call, event_id: str) -> Answer:
    return Answer(200, merchant.get("event", event_id))


@routes.on("POST", "/v1/notifications/webhooks-events/{event_id}/resend")
def resend(merchant: Merchant, call: Call, event_id: str) -> Answer:
    found = merchant.get("event", event_id)
    wanted = (call.body or {}).get("webhook_ids")
    for webhook in merchant.find("webhook"):
        if wanted is None or webhook["id"] in wanted:
            merchant.deliveries.add(event=event_id, endpoint=webhook["id"])
    return Answer(202, found)
