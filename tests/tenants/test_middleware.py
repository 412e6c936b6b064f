"""Host -> tenant: 400 for a malformed host, 404 for an unknown one, and nobody's name in either."""

import pytest
from django.test import Client

from config.errors import ValidationFailed
from tenants import services
from tenants.models import Tenant

pytestmark = pytest.mark.django_db


def asked(host: str, path: str = "/api/v1/contacts"):
    answer = Client().get(path, headers={"Host": host})
    return answer.status_code, answer.json()["code"], answer


@pytest.mark.parametrize(
    "host",
    ["nobody.plaza.localhost", "evil.example", "acme.plaza.localhost.evil.example", "127.0.0.1"],
)
def test_an_unknown_host_is_404_and_names_no_tenant(acme, host):
    status, code, answer = asked(host)

    assert (status, code, answer["Content-Type"]) == (
        404,
        "unknown_host",
        "application/problem+json",
    )
    assert b"acme" not in answer.content.lower()


@pytest.mark.parametrize(
    "host", ["bad host", "acme/plaza.localhost", "a@b", "[::1", "acme.plaza.localhost:x"]
)
def test_a_malformed_host_is_400(acme, host):
    assert asked(host)[:2] == (400, "bad_host")


@pytest.mark.parametrize(
    "host", ["acme.plaza.localhost", "ACME.Plaza.LOCALHOST:8000", "acme.plaza.localhost."]
)
def test_spellings_of_a_known_host_reach_its_tenant(acme, host):
    assert asked(host, "/api/v1/me")[:2] == (401, "credentials_missing")


def test_forwarded_host_headers_change_nothing(acme, globex):
    answer = Client().get(
        "/api/v1/me",
        headers={"Host": "nobody.plaza.localhost", "X-Forwarded-Host": "acme.plaza.localhost"},
    )
    assert answer.status_code == 404


def test_a_tenant_being_set_up_says_so_and_a_closed_one_is_gone(acme):
    Tenant.objects.filter(pk=acme.pk).update(status="provisioning")
    unfinished = asked("acme.plaza.localhost")
    Tenant.objects.filter(pk=acme.pk).update(status="closed")
    closed = asked("acme.plaza.localhost")

    assert (unfinished[:2], unfinished[2]["Retry-After"]) == ((503, "tenant_not_ready"), "2")
    assert closed[:2] == (404, "unknown_host")


@pytest.mark.parametrize(
    "host",
    [
        "-x.plaza.localhost",
        "..plaza.localhost",
        "acme.plaza.localhost..",
        f"{'x' * 64}.plaza.localhost",
        "acme.plaza.localhost:99999",
    ],
)
def test_what_is_no_host_name_is_400_too(acme, host):
    assert asked(host)[:2] == (400, "bad_host")


def test_a_refused_host_is_told_in_its_own_askers_language(acme):
    def title(language: str) -> str:
        headers = {"Host": "nobody.plaza.localhost", "Accept-Language": language}
        return str(Client().get("/x", headers=headers).json()["title"])

    assert [title("en"), title("es"), title("en"), title("")] == [
        "Nothing is served at this host.",
        "No hay nada en este dominio.",
        "Nothing is served at this host.",
        "Nothing is served at this host.",
    ]


def test_a_body_that_is_too_large_is_413(acme, api):
    body = '{"first_name": "' + "x" * (11 * 1024 * 1024) + '"}'
    client = api(acme)
    answer = client.client.post("/api/v1/contacts", body, content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")
    assert answer.json()["limit_bytes"] == 10 * 1024 * 1024


def test_every_answer_carries_a_request_id_and_a_well_formed_one_is_kept(acme):
    def sent(value):
        return Client().get(
            "/api/v1/me", headers={"Host": "acme.plaza.localhost", "X-Request-ID": value}
        )

    kept, replaced = sent("trace-12345678"), sent("x\x7fy bad id with spaces")

    assert kept["X-Request-ID"] == kept.json()["request_id"] == "trace-12345678"
    assert len(replaced["X-Request-ID"]) == 36


@pytest.mark.parametrize(
    "slug", ["", "a", "-a", "a-", "A", "a_b", "a--b", "x" * 41, "admin", "www", "á"]
)
def test_a_bad_or_reserved_slug_is_refused_by_name(db, slug):
    with pytest.raises(ValidationFailed) as refusal:
        services.reserve(slug=slug, organisation="X")
    assert list(refusal.value.facts["errors"]) == ["slug"]


def test_a_slug_is_taken_once(db):
    services.reserve(slug="once", organisation="First")
    with pytest.raises(services.SlugTaken):
        services.reserve(slug="once", organisation="Second")
    assert [tenant.organisation for tenant in Tenant.objects.filter(slug="once")] == ["First"]


def test_suspending_needs_a_reason_and_resuming_forgets_it(acme):
    with pytest.raises(ValidationFailed):
        services.suspend(tenant_id=acme.id, reason="  ")
    suspended = services.suspend(tenant_id=acme.id, reason="unpaid")
    resumed = services.resume(tenant_id=acme.id)

    assert (suspended.status, suspended.suspended_reason) == ("suspended", "unpaid")
    assert (resumed.status, resumed.suspended_reason) == ("active", "")
