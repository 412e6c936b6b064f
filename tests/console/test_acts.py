"""What an operator may do: with a reason, asked before, kept afterwards."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry

from billing.models import WebhookEvent
from config.models import OutboxMessage
from tenants.life import close
from tenants.models import Person, Tenant
from tests import factories
from tests.console.doors import page_of, sign_in
from tests.portal.browser import SQUARE, Browser, person_of, signed_in

pytestmark = pytest.mark.django_db


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


def buttons_of(operator: Browser, tenant: Tenant) -> set[str]:
    page = operator.get(f"{page_of(tenant)}/change/")
    acts = ("suspend", "resume", "close", "restore")
    return {act for act in acts if f"{page_of(tenant)}/{act}/" in page}


def test_closing_needs_a_reason_tells_the_window_and_can_be_undone(operator, acme):
    member = signed_in(acme)
    path = f"{page_of(acme)}/close/"
    assert buttons_of(operator, acme) == {"suspend", "close"}
    operator.get(path)
    assert "It can be restored for 30 days; then it is erased for good." in operator.text

    operator.post(path, {"reason": " "})
    assert Tenant.objects.get(pk=acme.pk).status == "active"
    operator.post(path, {"reason": "They asked for it."}, status=302)

    assert buttons_of(operator, acme) == {"restore"}
    assert "They asked for it." in operator.text
    member.get("/contacts", status=403)
    operator.post(f"{page_of(acme)}/restore/", {"reason": "They came back."}, status=302)
    member.get("/contacts")
    kept = LogEntry.objects.order_by("action_time").values_list("change_message", flat=True)
    assert list(kept) == [
        "The tenant is closed. They asked for it.",
        "The tenant is restored. They came back.",
    ]


def test_what_can_no_longer_be_restored_says_so(operator, acme, now):
    close(tenant_id=acme.pk, reason="A test.", by="test", now=now - timedelta(days=31))

    operator.post(f"{page_of(acme)}/restore/", {"reason": "Too late."})

    assert "This tenant can no longer be restored." in operator.text
    assert Tenant.objects.get(pk=acme.pk).status == "closing"


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
