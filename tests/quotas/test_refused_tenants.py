"""Whoever is refused everything else reaches usage, plan, sign-in, export and support."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from quotas import entitlements
from tenants.models import Tenant
from tenants.services import host_of, suspend
from tests.client import PASSWORD, Api

pytestmark = pytest.mark.django_db
SUPPORT = "mailto:support@plaza.localhost"


def _suspended(tenant: Tenant) -> None:
    suspend(tenant_id=tenant.pk, reason="Abuse.")


def _closing(tenant: Tenant) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(
        status=Tenant.Status.CLOSING, erase_after=timezone.now() + timedelta(days=30)
    )


def _overdue(tenant: Tenant) -> None:
    entitlements.hold(tenant_id=tenant.pk, code="subscription_past_due")


@pytest.mark.parametrize(
    ("refuse", "refused_with"),
    [
        (_suspended, (403, "tenant_suspended")),
        (_closing, (403, "tenant_closing")),
        (_overdue, (402, "subscription_past_due")),
    ],
    ids=["suspended", "closing", "overdue"],
)
def test_a_refused_tenant_reaches_what_it_must_and_is_told_where_support_is(
    acme: Tenant, api: Callable[..., Api], refuse: Callable[[Tenant], None], refused_with: Any
) -> None:
    client = api(acme)
    assert client.member is not None
    client.member.person.set_password(PASSWORD)
    client.member.person.save()
    refuse(acme)

    refused = client.get("/api/v1/contacts", status=refused_with[0])

    assert (refused["code"], refused["support"]) == (refused_with[1], SUPPORT)
    for path in ("usage", "entitlements", "subscription", "invoices", "me", "exports", "spend-cap"):
        client.get(f"/api/v1/{path}")
    client.post("/api/v1/exports", status=202)
    wish = {"email": client.member.person.email, "password": PASSWORD}
    Api.anonymous(acme).post("/api/v1/auth/token", wish, status=200)
    browser = Client(headers={"Host": host_of(acme.slug), "Accept": "text/html"})
    assert browser.post("/login", wish).status_code == 302
    for path in ("/", "/usage", "/plan", "/exports"):
        page = browser.get(path)
        assert (path, page.status_code) == (path, 200)
        assert f'<a href="{SUPPORT}">Support</a>' in page.content.decode()
    page = browser.get("/contacts")
    assert page.status_code == refused_with[0]
    assert f'<a href="{SUPPORT}">Support</a>' in page.content.decode()
