"""What the journeys do again and again: sign up, sign in, upload, wait, kill."""

import os
import signal
from typing import Any

import httpx

from tests.stack import REPOSITORY, Plaza, eventually

CDNOW = REPOSITORY / "tests/data/cdnow/CDNOW_master.txt"
CUSTOMERS, PURCHASES = 23_570, 69_659
PASSWORD = "market-square-2026"


def sign_up(plaza: Plaza, slug: str, plan: str) -> httpx.Response:
    with plaza.square() as square:
        return square.post(
            "/api/v1/signup",
            json={
                "organisation": f"{slug.title()} SA",
                "slug": slug,
                "email": f"owner@{slug}.example",
                "password": PASSWORD,
                "plan": plan,
            },
        )


def signed_in(plaza: Plaza, slug: str) -> httpx.Client:
    with plaza.stall(slug) as stall:
        answer = stall.post(
            "/api/v1/auth/token", json={"email": f"owner@{slug}.example", "password": PASSWORD}
        )
    assert answer.status_code == 200, answer.text
    return plaza.stall(slug, Authorization=f"Bearer {answer.json()['access']}")


def upload(api: httpx.Client, **fields: str) -> httpx.Response:
    with CDNOW.open("rb") as file:
        return api.post(
            "/api/v1/imports", files={"file": ("CDNOW_master.txt", file, "text/plain")}, data=fields
        )


def import_at_rest(api: httpx.Client, import_id: str, seen: list[int]) -> Any:
    """The import once it runs no more; every `rows_done` met on the way goes to `seen`."""

    def ask() -> Any:
        found = api.get(f"/api/v1/imports/{import_id}").json()
        seen.append(found["rows_done"])
        return found if found["status"] not in {"queued", "running"} else None

    return eventually(ask, seconds=180)


def meter(api: httpx.Client, name: str) -> Any:
    meters = api.get("/api/v1/usage").json()["meters"]
    return next(found for found in meters if found["meter"] == name)


def kill_server(plaza: Plaza, name: str) -> None:
    """kill -9 of one of the embedded servers, by the id that the supervisor wrote down."""
    os.kill(plaza.process_id(name), signal.SIGKILL)
