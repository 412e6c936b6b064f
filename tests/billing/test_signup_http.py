"""POST /api/v1/signup and its neighbours, as a client sees them."""

from typing import Any

import pytest
from django.test import Client

from billing import signup
from billing.tasks import finish_sign_up
from tenants.engine.owner import owner_connection
from tenants.models import Tenant
from tests.billing.test_signup import PASSWORD, wish

pytestmark = pytest.mark.django_db


def post(square: Client, status: int, **changes: Any) -> Any:
    answer = square.post("/api/v1/signup", wish(**changes), content_type="application/json")
    assert answer.status_code == status, answer.content
    return answer.json()


def test_signup_over_http_answers_201_and_the_tenant_serves(square):
    answer = post(square, 201)

    assert answer == {
        "tenant": {
            "slug": "records",
            "status": "active",
            "url": "http://records.plaza.localhost:8000",
        }
    }
    stall = Client(headers={"Host": "records.plaza.localhost"})
    token = stall.post(
        "/api/v1/auth/token",
        {"email": "owner@records.test", "password": PASSWORD},
        content_type="application/json",
    )
    assert token.status_code == 200, token.content


def test_wrong_input_is_told_by_field_as_a_problem(square):
    answer = post(square, 400, email="nobody", plan="platinum", organisation="A\nBcc: x@y.test")

    assert answer["code"] == "validation_failed"
    assert set(answer["errors"]) == {"email", "plan", "organisation"}
    answer = post(square, 400, email="nobody", slug="www", password="short")
    assert set(answer["errors"]) == {"email", "slug", "password"}
    answer = post(square, 400, email="nobody", slug="a\x00b", password="x\x00y")
    assert set(answer["errors"]) == {"email", "slug", "password"}
    assert set(post(square, 400, slug="www", password="x")["errors"]) == {"slug", "password"}
    assert post(square, 400, slug="www")["errors"].keys() == {"slug"}
    assert post(square, 400, password="short")["errors"].keys() == {"password"}


def test_a_taken_slug_and_a_known_e_mail_are_conflicts(square):
    post(square, 201)

    assert post(square, 409, email="other@records.test")["code"] == "slug_taken"
    refused = post(square, 409, slug="second", password="not-the-password-1")
    assert refused["code"] == "email_taken"


def test_the_same_idempotency_key_answers_the_same_bytes_and_makes_one_tenant(square):
    headers = {"Idempotency-Key": "sign-up-1"}
    answers = [
        square.post("/api/v1/signup", wish(), content_type="application/json", headers=headers)
        for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].content == answers[1].content
    assert Tenant.objects.count() == 1


def test_a_replay_after_a_kill_finishes_what_its_key_reserved(square):
    headers = {"Idempotency-Key": "sign-up-1"}
    square.post("/api/v1/signup", wish(), content_type="application/json", headers=headers)
    Tenant.objects.update(status=Tenant.Status.PROVISIONING)

    answer = square.post("/api/v1/signup", wish(), content_type="application/json", headers=headers)

    assert answer.status_code == 201
    assert Tenant.objects.get().status == "active"


def test_a_sign_up_that_cannot_be_finished_now_is_accepted_and_finished_later(square, now):
    """A schema with somebody's rows stands in the way: the person is told where to look."""
    begun = signup.reserve(application=signup.Application(**wish()), now=now)
    with owner_connection() as owner:
        owner.execute(f'CREATE SCHEMA "{begun.schema_name}"')
        owner.execute(f'CREATE TABLE "{begun.schema_name}".crm_contact AS SELECT 1 AS one')

    answer = post(square, 202)

    assert answer["tenant"]["status"] == "provisioning"
    assert answer["status_url"] == f"http://plaza.localhost/api/v1/signup/status/{begun.id}"
    with owner_connection() as owner:
        owner.execute(f'DROP TABLE "{begun.schema_name}".crm_contact')
    finish_sign_up(tenant_id=str(begun.id))
    shown = square.get(answer["status_url"].removeprefix("http://plaza.localhost"))
    assert shown.json()["tenant"]["status"] == "active"


def test_sign_ups_with_one_e_mail_are_limited(square):
    statuses = [
        square.post(
            "/api/v1/signup", wish(password="x"), content_type="application/json"
        ).status_code
        for _ in range(11)
    ]

    assert statuses == [400] * 10 + [429]


def test_the_status_of_a_sign_up_is_shown_and_an_unknown_one_is_not_found(square, now):
    tenant = signup.reserve(application=signup.Application(**wish()), now=now)

    shown = square.get(f"/api/v1/signup/status/{tenant.id}")
    unknown = square.get("/api/v1/signup/status/01900000-0000-7000-8000-000000000001")

    assert shown.json()["tenant"]["status"] == "provisioning"
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")


def test_the_plans_are_shown_to_everybody_with_limits_and_prices(square):
    answer = square.get("/api/v1/plans")

    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [plan["key"] for plan in results] == ["free", "starter", "growth", "scale", "enterprise"]
    starter = results[1]
    assert starter["limits"]["contacts"] == 5_000
    assert {"interval": "month", "price": {"amount": 2_900, "currency": "USD"}} in starter["prices"]
    assert results[4]["limits"]["seats"] is None
