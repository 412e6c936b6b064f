"""Events as a program outside reports them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.client import Api

EVENTS = "/api/v1/usage-events"
LIMITS = {"emails": 10, "sms": 5, "tokens": 100, "active_people": 2, "visitors_at_once": 50}


def event(key: str, meter: str = "emails", quantity: int = 1, **more: Any) -> dict[str, Any]:
    at = more.pop("occurred_at", datetime.now(UTC) - timedelta(minutes=1))
    return {
        "key": key, "meter": meter, "quantity": quantity,
        "occurred_at": at if isinstance(at, str) else at.isoformat(), **more,
    }  # fmt: skip


def used(api: Api, meter: str = "emails") -> int:
    meters = api.get("/api/v1/usage")["meters"]
    return {each["meter"]: each["used"] for each in meters}[meter]


def batch(api: Api, items: list[Any]) -> list[tuple[int, str]]:
    """Status and code (or nothing) of each item."""
    results = api.post(f"{EVENTS}/batch", {"items": items}, status=207)["results"]
    assert [each["index"] for each in results] == list(range(len(items)))
    return [(each["status"], each.get("error", {}).get("code", "")) for each in results]
