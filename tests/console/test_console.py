"""The operators' console: who gets in, what it shows, what an operator may do, and at what price."""

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.console.urls import site
from billing.models import WebhookEvent
from config.models import OutboxMessage
from config.needs import Meter
from quotas import ledger
from tenants.models import Person, Tenant
from tenants.services import host_of
from tests import factories
from tests.client import PASSWORD
from tests.portal.browser import SQUARE, Browser, found, person_of, signed_in

pytestmark = pytest.mark.django_db
LISTS = {
    f"/console/{model._meta.app_label}/{model._meta.model_name}/": model for model in site._registry
}


@pytest.fixture
def operator(db: None) -> Browser:
    """A browser in which an operator has signed in."""
    Person.objects.create_user("operator@plaza.test", PASSWORD, kind=Person.Kind.OPERATOR)
    browser = Browser(SQUARE)
    sign_in(browser, "operator@plaza.test", status=302)
    return browser


def sign_in(browser: Browser, email: str, *, status: int | None) -> str:
    fields = {"username": email, "password": PASSWORD, "next": "/console/"}
    return browser.post("/console/login/", fields, status=status)


def page_of(row: Any) -> str:
    return f"/console/{row._meta.app_label}/{row._meta.model_name}/{row.pk}"


# --- who gets in -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/console/", *LISTS])
def test_a_stranger_is_sent_to_the_operators_sign_in(db, path):
    browser = Browser(SQUARE)

    browser.get(path, status=302)

    assert browser.last["Location"].startswith("/console/login/?next=")


def test_a_member_does_not_get_in_and_an_inactive_operator_neither(acme):
    person_of(acme)
    Person.objects.create_user(
        "gone@plaza.test", PASSWORD, kind=Person.Kind.OPERATOR, is_active=False
    )

    for email in ("owner@acme.test", "gone@plaza.test"):
        browser = Browser(SQUARE)
        sign_in(browser, email, status=200)
        browser.get("/console/", status=302)


def test_a_members_session_opens_no_console_and_an_operators_no_portal(acme, operator):
    member = signed_in(acme)
    stolen = Browser(SQUARE)
    stolen.client.cookies = member.client.cookies
    stolen.get("/console/", status=302)
    other = Browser(host_of("acme"))
    other.client.cookies = operator.client.cookies

    other.get("/", status=302)

    assert other.last["Location"] == "/login"


def test_the_console_is_not_served_at_a_tenants_host(acme):
    Browser(host_of("acme")).get("/console/", status=404)


def test_guesses_at_an_operators_password_are_counted_with_those_at_other_doors(acme):
    person_of(acme)
    for _ in range(21):
        browser = Browser(SQUARE)
        browser.post(
            "/console/login/", {"username": "owner@acme.test", "password": "wrong"}, status=None
        )
        if browser.last.status_code == 429:
            break

    browser.post("/console/login/", {"username": "owner@acme.test", "password": "x"}, status=429)
    Browser(host_of("acme")).post(
        "/login", {"email": "owner@acme.test", "password": PASSWORD}, status=429
    )


def test_the_console_states_its_own_policy_and_loads_from_no_other_host(operator, acme):
    for path in ("/console/", "/console/tenants/tenant/", f"{page_of(acme)}/change/"):
        page = operator.get(path)
        policy = operator.last["Content-Security-Policy"]
        assert "script-src 'self' 'unsafe-eval';" in f"{policy};"
        assert "'unsafe-inline'" not in found(r"(script-src[^;]*)", policy)
        assert re.findall(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", page) == []
        loaded = re.findall(r'<(?:script|link|img)[^>]*\b(?:src|href)="([^"]+)"', page)
        assert [address for address in loaded if not re.match(r"/(?!/)", address)] == []


# --- what it shows ---------------------------------------------------------------------------------


def test_the_list_of_tenants_tells_state_plan_and_usage(operator, acme, globex, now):
    ledger.consume(tenant_id=acme.pk, meter=Meter.CONTACTS, quantity=1_234, key="some", now=now)

    operator.get("/console/tenants/tenant/")

    assert "acme Acme Inc. active growth · on trial 1,234 / 50,000" in operator.text
    assert "globex Globex Inc. active starter · on trial 0 / 5,000" in operator.text


def test_an_unlimited_tenant_is_shown_as_such(operator, acme, now):
    from billing.services.grants import entitle

    entitle(tenant_id=acme.pk, plan="enterprise", now=now)

    operator.get("/console/tenants/tenant/")

    assert "0 / ∞" in operator.text


def test_a_tenants_page_tells_its_subscription_grants_usage_people_and_webhooks(
    operator, acme, globex
):
    person_of(acme)
    person_of(globex)
    factories.WebhookEventFactory(kind="invoice.paid", tenant_id=acme.pk)
    factories.WebhookEventFactory(kind="invoice.of_globex", tenant_id=globex.pk)

    operator.get(f"{page_of(acme)}/change/")

    for words in ("growth on trial", "50,000", "owner@acme.test", "invoice.paid", "audit_export"):
        assert words in operator.text
    assert "owner@globex.test" not in operator.text
    assert "invoice.of_globex" not in operator.text


@pytest.mark.parametrize("path", LISTS)
def test_every_list_answers_in_both_languages_and_can_be_searched(operator, acme, path):
    factories.WebhookEventFactory(tenant_id=acme.pk)
    for language in ("en", "es"):
        page = operator.get(path, Accept_Language=language)
        assert f'lang="{language}"' in page
        assert {"en": "Customers", "es": "Clientes"}[language] in operator.text
    operator.get(f"{path}?q=acme")


@pytest.mark.parametrize("path", LISTS)
def test_nothing_is_edited_added_or_deleted_in_place(operator, acme, path):
    operator.get(f"{path}add/", status=403)
    row = LISTS[path]._default_manager.first()
    if row is None:
        return
    operator.get(f"{path}{row.pk}/delete/", status=403)
    operator.post(f"{path}{row.pk}/change/", {"slug": "hacked"}, status=403)
    page = operator.get(path)
    assert 'name="action"' not in page


def test_no_hash_of_a_password_is_shown(operator, acme):
    member = person_of(acme)

    page = operator.get(f"{page_of(member.person)}/change/")

    assert "owner@acme.test" in operator.text
    assert "argon2" not in page


def test_the_list_of_tenants_asks_the_database_a_fixed_number_of_times(operator, acme, now):
    from billing.services import subscriptions

    counts = []
    for more in (0, 2):
        for _ in range(more):
            tenant = factories.TenantFactory()
            subscriptions.start(tenant=tenant, plan="growth", now=now)
        operator.get("/console/tenants/tenant/")
        with CaptureQueriesContext(connection) as asked:
            operator.get("/console/tenants/tenant/")
        counts.append(len(asked))

    assert Tenant.objects.count() == 3
    assert counts[0] == counts[1]


# --- what an operator may do -----------------------------------------------------------------------


def test_suspending_needs_a_reason_and_holds_from_the_next_request_on(operator, acme):
    member = signed_in(acme)
    path = f"{page_of(acme)}/suspend/"

    operator.post(path, {"reason": " "})
    assert Tenant.objects.get(pk=acme.pk).status == "active"
    operator.post(path, {"reason": "Chargebacks under review."}, status=302)

    member.get("/contacts", status=403)
    member.get("/")
    assert "Chargebacks under review." in member.text
    kept = LogEntry.objects.get()
    assert kept.user_id == Person.objects.get(email="operator@plaza.test").pk
    assert "Chargebacks under review." in kept.change_message


def test_resuming_opens_the_tenant_again(operator, acme):
    member = signed_in(acme)
    operator.post(f"{page_of(acme)}/suspend/", {"reason": "A test."}, status=302)
    page = operator.get(f"{page_of(acme)}/change/")
    assert (f"{page_of(acme)}/resume/" in page, f"{page_of(acme)}/suspend/" in page) == (
        True,
        False,
    )

    operator.post(f"{page_of(acme)}/resume/", {"reason": "All is well."}, status=302)

    member.get("/contacts")


def test_an_act_is_asked_before_it_is_done(operator, acme):
    operator.get(f"{page_of(acme)}/suspend/")

    assert "Its people and programs are refused from the next request on" in operator.text
    assert Tenant.objects.get(pk=acme.pk).status == "active"


def test_a_member_cannot_act_as_an_operator(acme):
    browser = Browser(SQUARE)
    person_of(acme)
    sign_in(browser, "owner@acme.test", status=200)

    browser.post(f"{page_of(acme)}/suspend/", {"reason": "x"}, status=302, seen="/console/login/")

    assert Tenant.objects.get(pk=acme.pk).status == "active"


def test_a_failed_webhook_is_found_and_replayed(operator, acme):
    failed = factories.WebhookEventFactory(
        status="failed", attempts=12, error="ProviderDown", tenant_id=acme.pk
    )
    factories.WebhookEventFactory(kind="already.done", status="received")

    operator.get("/console/billing/webhookevent/?status__exact=failed")
    assert "ProviderDown" in operator.text
    assert "already.done" not in operator.text
    operator.post(f"{page_of(failed)}/replay/", {"reason": "The provider is back."}, status=302)

    failed.refresh_from_db()
    assert (failed.status, failed.attempts, failed.error) == ("received", 0, "")
    promised = OutboxMessage.objects.get(task="billing.handle_webhook")
    assert promised.arguments == {"event_id": str(failed.pk)}


def test_the_overview_counts_what_needs_a_hand(operator, acme):
    factories.WebhookEventFactory(status=WebhookEvent.Status.FAILED)

    operator.get("/console/")

    assert "Failed webhooks 1" in operator.text
    assert "Tenants 1" in operator.text
