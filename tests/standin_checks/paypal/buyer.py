"""What the buyer's browser does, and how the tests look at what came of it."""

import json
from datetime import UTC, datetime
from typing import Any

import paypalrestsdk
import requests

from tests.standin_checks.receiver import Arrival, Receiver
from tests.standins.paypal import PayPalStandin

DAY = 86_400
WEBHOOK_ID = "WHTESTOFTHESTANDIN"
BACK = "http://acme.plaza.localhost:8000/back"
CONTEXT = {"return_url": BACK, "cancel_url": f"{BACK}?gave=up"}
SUBSCRIPTIONS = "v1/billing/subscriptions"


def link(body: Any, rel: str) -> str:
    return str(next(link["href"] for link in body["links"] if link["rel"] == rel))


def click(address: str, **fields: str) -> requests.Response:
    """What the buyer's browser sends; the forms hold the token of the address."""
    token = address.rpartition("ba_token=")[2]
    page = requests.get(address, timeout=5)
    assert page.status_code == 200
    data = {"ba_token": token, **fields}
    return requests.post(address.partition("?")[0], data=data, timeout=5, allow_redirects=False)


def subscribe(api: paypalrestsdk.Api, plan_id: str, *, funds: str = "ok", **more: Any) -> str:
    wish = {"plan_id": plan_id, "application_context": CONTEXT, **more}
    asked = api.post(SUBSCRIPTIONS, wish)
    answer = click(link(asked, "approve"), do="agree", funds=funds)
    assert answer.status_code == 303
    return str(asked["id"])


def shown(api: paypalrestsdk.Api, ident: str) -> Any:
    return api.get(f"{SUBSCRIPTIONS}/{ident}")


def paid(api: paypalrestsdk.Api, ident: str) -> list[tuple[str, str]]:
    query = "start_time=2020-01-01T00:00:00Z&end_time=2040-01-01T00:00:00Z"
    found = api.get(f"{SUBSCRIPTIONS}/{ident}/transactions?{query}")["transactions"]
    return [(one["status"], one["amount_with_breakdown"]["gross_amount"]["value"]) for one in found]


def day(month: int, day: int) -> int:
    return int(datetime(2026, month, day, tzinfo=UTC).timestamp())


def arrived(standin: PayPalStandin, receiver: Receiver) -> list[Arrival]:
    assert standin.deliveries.settle(timeout_seconds=10)
    return list(receiver.arrivals)


def kinds(standin: PayPalStandin, receiver: Receiver) -> list[str]:
    return [json.loads(one.body)["event_type"] for one in arrived(standin, receiver)]


def upper_headers(arrival: Arrival) -> dict[str, str]:
    return {name.upper(): value for name, value in arrival.headers.items()}
