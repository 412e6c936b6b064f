"""The first journey, as a person's program sees it: real HTTP, PostgreSQL, Valkey, Celery and webhooks."""

import json
import os
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.journey_steps import (
    CUSTOMERS,
    PASSWORD,
    PURCHASES,
    import_at_rest,
    kill_server,
    meter,
    sign_up,
    signed_in,
    upload,
)
from tests.stack import Plaza, eventually, hidden_fields, running_plaza

pytestmark = pytest.mark.timeout(400)
# With servers of the environment there is nobody who would start a killed one again.
SYSTEM_SERVERS = os.environ.get("PLAZA_SYSTEM_SERVERS") == "1"


def embedded(test: Any) -> Any:
    """Register a drill that kills a server of our own; elsewhere it is not a test at all."""
    test.__test__ = not SYSTEM_SERVERS
    return test


@pytest.fixture(scope="module")
def plaza(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plaza]:
    home = tmp_path_factory.mktemp("plaza")
    # The least that may be said: a killed worker's import waits for it.
    silent = {"PLAZA_IMPORT_SILENT_SECONDS": "10"}
    with running_plaza(home, keep_servers=SYSTEM_SERVERS, **silent) as stack:
        yield stack


def test_a_customer_signs_up_imports_meets_the_quota_pays_and_goes_on(plaza: Plaza) -> None:
    answer = sign_up(plaza, "cdnow", "starter")
    assert answer.status_code == 201, answer.text
    assert answer.json()["tenant"] == {
        "slug": "cdnow",
        "status": "active",
        "url": f"http://cdnow.plaza.localhost:{plaza.port}",
    }

    with signed_in(plaza, "cdnow") as api:
        refused = upload(api)
        assert refused.status_code == 402
        assert refused.headers["content-type"] == "application/problem+json"
        problem = refused.json()
        assert {
            name: problem[name] for name in ("code", "meter", "limit", "asked", "upgrade_to")
        } == {
            "code": "quota_exceeded",
            "meter": "contacts",
            "limit": 5_000,
            "asked": CUSTOMERS,
            "upgrade_to": "growth",
        }
        assert api.get("/api/v1/contacts").json()["results"] == []

        started = upload(api, allow_partial="true")
        assert started.status_code == 202, started.text
        stopped = import_at_rest(api, started.json()["id"], [])
        assert stopped["status"] == "completed_with_errors"
        assert stopped["rows_left_out"] > 0
        contacts = meter(api, "contacts")
        assert 4_000 <= contacts["used"] <= 5_000
        assert contacts["remaining"] == 5_000 - contacts["used"]

        pay_for(plaza, api, "growth")
        eventually(lambda: api.get("/api/v1/usage").json()["plan"] == "growth", seconds=30)

        resumed = api.post(f"/api/v1/imports/{started.json()['id']}/resume")
        assert resumed.status_code == 202, resumed.text
        seen: list[int] = []
        finished = import_at_rest(api, started.json()["id"], seen)
        assert (finished["status"], finished["rows_done"], finished["rows_failed"]) == (
            "completed",
            PURCHASES,
            0,
        )
        assert len(set(seen)) >= 3, "progress was not visible while it ran"
        assert meter(api, "contacts")["used"] == CUSTOMERS

        check_the_data(api)
        check_the_console(plaza)


def pay_for(plaza: Plaza, api: httpx.Client, plan: str) -> None:
    """Check out as a person does: open the provider's page and press Pay."""
    checkout = api.post("/api/v1/checkout", json={"plan": plan})
    assert checkout.status_code == 201, checkout.text
    with httpx.Client(timeout=30, trust_env=False) as person:
        page = person.get(checkout.json()["url"])
        assert page.status_code == 200
        paid = person.post(page.url, data=hidden_fields(page.text) | {"action": "pay"})
    assert paid.status_code in {302, 303}, paid.text


def check_the_data(api: httpx.Client) -> None:
    ids: list[str] = []
    address: str | None = "/api/v1/contacts?limit=200"
    while address:
        page = api.get(address).json()
        ids += [row["id"] for row in page["results"]]
        address = page["next"] and httpx.URL(page["next"]).raw_path.decode()
    assert (len(ids), len(set(ids))) == (CUSTOMERS, CUSTOMERS)

    found = api.get("/api/v1/contacts", params={"email": "cdnow-00001@example.test"}).json()
    assert [row["external_id"] for row in found["results"]] == ["00001"]
    searched = api.get("/api/v1/contacts", params={"search": "cdnow-2357"}).json()["results"]
    assert {row["email"][:10] for row in searched} == {"cdnow-2357"}
    orders = api.get("/api/v1/orders", params={"contact": found["results"][0]["id"]}).json()
    assert [(row["quantity"], row["amount"]) for row in orders["results"]] == [
        (1, {"amount": 1177, "currency": "USD"})
    ]


def check_the_console(plaza: Plaza) -> None:
    with plaza.square() as console:
        page = console.get("/console/login/")
        console.headers["Referer"] = str(page.url)
        signed = console.post(
            "/console/login/?next=/console/",
            data=hidden_fields(page.text)
            | {"username": "operator@plaza.test", "password": plaza.secret("PLAZA_DEMO_PASSWORD")},
        )
        assert signed.status_code == 302, signed.text[:500]
        step = console.get(signed.headers["Location"])
        code = re.search(r'id="demo-code">([0-9]{6})<', step.text)
        assert code is not None, step.text[:500]
        proved = console.post(
            "/console/second-factor/", data=hidden_fields(step.text) | {"otp": code[1]}
        )
        assert proved.status_code == 200, proved.text[:500]
        listing = console.get("/console/tenants/tenant/").text
        assert "cdnow" in listing
        assert "growth" in listing
        assert "23,570" in listing
        assert "customer.subscription.created" in console.get("/console/billing/webhookevent/").text


def test_hosts_that_nobody_answers_at_are_refused_as_problems(plaza: Plaza) -> None:
    with plaza.stall("nobody-here") as client:
        unknown = client.get("/api/v1/contacts")
    with plaza.client("bad host!") as client:
        malformed = client.get("/api/v1/contacts")

    assert [(answer.status_code, answer.json()["code"]) for answer in (unknown, malformed)] == [
        (404, "unknown_host"),
        (400, "bad_host"),
    ]


def test_the_plain_courtesies_answer(plaza: Plaza) -> None:
    with plaza.square() as square:
        statuses = [
            square.get(path).status_code
            for path in ("/livez", "/readyz", "/health", "/ready", "/api/health")
        ]
    assert statuses == [200] * 5


def test_the_logs_name_tenant_and_request_and_no_person(plaza: Plaza) -> None:
    with plaza.stall("cdnow") as stall:
        tried = stall.post(
            "/api/v1/auth/token", json={"email": "planted@logs.example", "password": "planted-pass"}
        )
    assert tried.status_code == 401
    with signed_in(plaza, "cdnow") as api:
        contact = {"email": "planted@logs.example"}
        statuses = [api.post("/api/v1/contacts", json=contact).status_code for _ in range(2)]
        api.get("/api/v1/contacts", params={"search": "planted@logs.example"})
    assert statuses == [201, 409]

    lines = (plaza.home / "logs/web.log").read_text().splitlines()
    answered = [json.loads(line) for line in lines if '"request_finished"' in line]
    # 400 and 404 are those of hosts that are no tenant's.
    passed = [line for line in answered if line["code"] in {200, 201, 409}]
    ours = [line for line in passed if line["request"].endswith(" /api/v1/contacts")]
    assert len(ours) > 100
    assert [line for line in ours if not (line.get("tenant_id") and line.get("request_id"))] == []
    for log in (plaza.home / "logs").glob("*.log"):
        text = log.read_text(errors="replace")
        assert [word for word in ("planted", "@cdnow.example", PASSWORD) if word in text] == [], log


@embedded
def test_a_killed_redis_refuses_no_signed_in_request(plaza: Plaza) -> None:
    with signed_in(plaza, "cdnow") as api:
        kill_server(plaza, "valkey")
        statuses = {api.get("/api/v1/contacts?limit=1").status_code for _ in range(30)}
        eventually(lambda: plaza.readiness()["checks"]["redis"] == "ok", seconds=30)
        back = api.get("/api/v1/contacts?limit=1")

    assert (statuses, back.status_code) == ({200}, 200)


@embedded
def test_a_killed_database_costs_problems_of_503_and_comes_back(plaza: Plaza) -> None:
    with signed_in(plaza, "cdnow") as api:
        kill_server(plaza, "postgres")
        answers = [api.get("/api/v1/contacts?limit=1") for _ in range(10)]
        eventually(lambda: plaza.readiness()["status"] == "ok", seconds=30)
        back = api.get("/api/v1/contacts?limit=1")

    refused = [answer for answer in answers if answer.status_code != 200]
    assert {(answer.status_code, answer.json()["code"]) for answer in refused} <= {
        (503, "service_unavailable")
    }
    assert back.status_code == 200


@embedded
def test_a_worker_killed_in_the_middle_of_an_import_loses_and_doubles_nothing(plaza: Plaza) -> None:
    assert sign_up(plaza, "killed", "growth").status_code == 201
    with signed_in(plaza, "killed") as api:
        started = upload(api).json()
        eventually(lambda: api.get(f"/api/v1/imports/{started['id']}").json()["rows_done"] > 0)
        kill_server(plaza, "worker")
        finished = import_at_rest(api, started["id"], [])
        used = meter(api, "contacts")["used"]

    assert (finished["status"], finished["rows_done"], finished["rows_failed"]) == (
        "completed",
        PURCHASES,
        0,
    )
    assert used == CUSTOMERS
