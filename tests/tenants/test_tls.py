"""The proxy gets certificates for names at which we answer, and for no other."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from tenants import hosts, tls
from tenants.models import Domain, Tenant
from tests.factories import DomainClaimFactory, DomainFactory

pytestmark = pytest.mark.django_db


def ask(domain: str, **more: Any) -> int:
    """As Caddy does: by the process's own address, with no word of a tenant."""
    proxy = Client(headers={"Host": "web:8000"}, REMOTE_ADDR="10.1.2.3")
    return proxy.get("/tls/ask", {"domain": domain}, **more).status_code


@pytest.fixture
def own(acme, now) -> Domain:
    """A proved domain of acme's own, beside one that is only claimed."""
    DomainClaimFactory(tenant=acme, domain="claimed.example.com")
    return DomainFactory(
        tenant=acme, domain="shop.example.com", is_primary=False, proof="x", verified_at=now
    )


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("plaza.localhost", 200),
        ("api.plaza.localhost", 200),
        ("acme.plaza.localhost", 200),
        ("shop.example.com", 200),
        ("SHOP.example.com.", 200),
        ("claimed.example.com", 404),
        ("nobody.plaza.localhost", 404),
        ("www.acme.plaza.localhost", 404),
        ("evil.test", 404),
        ("shop.example.com:443", 404),
        ("10.1.2.3", 404),
        ("", 404),
        ("*.plaza.localhost", 404),
        ("a\x00b.example.com", 404),
        ("shop.example.\u212aom", 404),
        ("x" * 5_000, 404),
    ],
)
def test_a_certificate_is_allowed_for_names_at_which_we_answer(own, name, status):
    assert ask(name) == status


@pytest.mark.parametrize(
    ("state", "status"),
    [("provisioning", 200), ("suspended", 200), ("closing", 200), ("closed", 404)],
)
def test_a_tenant_in_any_state_but_gone_keeps_its_certificate(own, acme, now, state, status):
    Tenant.objects.filter(pk=acme.pk).update(
        status=state, suspended_reason="x", erase_after=now + timedelta(days=1)
    )
    assert (ask("acme.plaza.localhost"), ask("shop.example.com")) == (status, status)


def test_a_name_that_was_given_up_keeps_its_certificate_while_it_leads_on(acme, now):
    hosts.rename(tenant_id=acme.id, slug="acme-sl", now=now)
    assert (ask("acme-sl.plaza.localhost"), ask("acme.plaza.localhost")) == (200, 200)

    acme.retired_slugs.update(until=now)
    assert (ask("acme-sl.plaza.localhost"), ask("acme.plaza.localhost")) == (200, 404)


@pytest.mark.parametrize(
    "asker",
    [
        {"REMOTE_ADDR": "9.9.9.9"},
        {"HTTP_X_FORWARDED_FOR": "10.9.9.9"},
        {"HTTP_FORWARDED": "for=10.9.9.9"},
    ],
)
def test_the_outside_learns_nothing(own, asker):
    assert ask("shop.example.com", **asker) == 404


def test_the_question_is_only_read(own):
    proxy = Client(headers={"Host": "web:8000"}, REMOTE_ADDR="10.1.2.3")
    assert proxy.post("/tls/ask?domain=shop.example.com").status_code == 404
    assert proxy.head("/tls/ask?domain=shop.example.com").status_code == 200


def test_a_flood_of_invented_names_is_held_up(own, monkeypatch):
    monkeypatch.setattr(tls, "RATE", "3/h")
    assert [ask("evil.test") for _ in range(4)] == [404, 404, 404, 429]


def test_an_answer_costs_one_query_or_two_and_one_that_counts_it(own, django_assert_num_queries):
    with django_assert_num_queries(1):
        ask("plaza.localhost")
    with django_assert_num_queries(2):
        ask("shop.example.com")
    with django_assert_num_queries(2):
        ask("evil.test")
    with django_assert_num_queries(3):
        ask("nobody.plaza.localhost")


def test_in_production_the_proxy_is_not_sent_to_https(own, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert ask("shop.example.com") == 200
