"""The usage page tells what was refused of late and why; a page of a refusal leads there."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from config.needs import Meter
from quotas import entitlements, explanations, ledger
from quotas.caps.weights import Bend, Weight
from tenants.services import suspend
from tests import factories
from tests.portal.browser import found, signed_in
from tests.quotas.capped import weigh

pytestmark = pytest.mark.django_db
_WHY = r'href="(/usage/why\?request_id=[^"]+)"'


def override(tenant, now, **limits):
    entitlements.grant(
        tenant_id=tenant.pk, source="override", plan="", features=(), limits=limits, rates={},
        ladder={}, feature_ladder={}, priority=9, expires_at=now + timedelta(days=3), now=now,
    )  # fmt: skip


def test_a_refusals_page_leads_to_its_why_in_words(acme, now):
    browser = signed_in(acme)
    override(acme, now, contacts=0)
    suspend(tenant_id=acme.pk, reason="Chargebacks under review.")
    page = browser.get("/contacts", status=403)
    explanations.flush()

    browser.get(found(_WHY, page))

    for words in (
        "This tenant is suspended.",
        "The tenant's state: Chargebacks under review.",
        "GET /contacts",
        "growth",
    ):
        assert words in browser.text
    browser.get("/usage")
    assert "Chargebacks under review." in browser.text


def test_an_overrides_end_and_what_the_counter_stood_at_are_told(acme):
    factories.ExplanationFactory(
        tenant_id=acme.pk, request_id="request-of-before", code="quota_exceeded",
        told={
            "method": "POST", "path": "/api/v1/contacts", "rule": "meter:contacts", "limit": 1_000,
            "used": 990, "resets_at": None, "plan": "growth", "facts": {"asked": 20},
            "grants": [
                {"source": "override", "plan": "", "priority": 9, "decides": True,
                 "expires_at": "2031-01-31T00:00:00Z", "states": {"limit": 1_000, "seconds": None}},
                {"source": "plan", "plan": "growth", "priority": 0, "decides": False,
                 "expires_at": None, "states": {"limit": 50_000, "seconds": None}},
            ],
        },
    )  # fmt: skip
    browser = signed_in(acme)

    browser.get("/usage/why?request_id=request-of-before")

    for words in (
        "Allowance of “contacts”",
        "override: 1,000, until",
        "Also looked at plan (plan “growth”): 50,000",
        "990 of 1,000 used, 20 asked for",
    ):
        assert words in browser.text


def test_a_member_sees_their_own_refusals_alone(acme, globex):
    for tenant, role, reason in ((acme, "owner", "of acme"), (globex, "owner", "of globex")):
        signed_in(tenant, role)
        factories.ExplanationFactory(
            tenant_id=tenant.pk, credential="member:somebody", request_id=f"id-{tenant.slug}",
            told={"rule": "state", "facts": {"reason": reason}},
        )  # fmt: skip
    owner, member = signed_in(acme), signed_in(acme, "member")

    owner.get("/usage")
    assert ("of acme" in owner.text, "of globex" in owner.text) == (True, False)
    member.get("/usage")
    assert "of acme" not in member.text
    member.get("/usage/why?request_id=id-acme", status=404)
    owner.get("/usage/why?request_id=id-globex", status=404)
    owner.get("/usage/why", status=404)


def test_the_usage_page_asks_a_fixed_number_of_times(acme):
    browser = signed_in(acme)
    counts = []
    for more in (1, 2):
        for _ in range(more):
            factories.ExplanationFactory(tenant_id=acme.pk, told={"rule": "load"})
        browser.get("/usage")
        with CaptureQueriesContext(connection) as asked:
            browser.get("/usage")
        counts.append(len(asked))
    assert counts[0] == counts[1]
    assert browser.text.count("The server was overloaded") == 3


def test_the_spend_cap_is_shown_set_in_money_and_taken_away(acme, now):
    weigh(acme.pk, {"emails": Weight((Bend(0, 0, 5),))}, emails=0, now=now)
    with transaction.atomic():
        ledger.consume(tenant_id=acme.pk, meter=Meter.EMAILS, quantity=250, key="mails", now=now)
    browser = signed_in(acme)
    browser.get("/usage")
    assert "USD 12.50, no cap" in browser.text

    browser.post("/usage/spend-cap", {"cap": "12"}, status=302, seen="/usage")
    browser.get("/usage")
    assert "USD 12.50 of USD 12" in browser.text
    assert "More is spent already than the cap allows." in browser.text

    page = browser.post("/usage/spend-cap", {"cap": "12,345.6"}, status=400, seen="/usage")
    assert "An amount like 250 or 250.50." in browser.text
    assert 'value="12,345.6"' in page
    browser.post("/usage/spend-cap", {"cap": ""}, status=302, seen="/usage")
    browser.get("/usage")
    assert "no cap" in browser.text


def test_who_may_not_see_money_sees_what_is_spent_and_no_form(acme, now):
    weigh(acme.pk, {"emails": Weight((Bend(0, 0, 5),))}, cap=700, emails=0, now=now)
    browser = signed_in(acme, "editor")
    assert "/usage/spend-cap" not in browser.get("/usage")
    assert "USD 0 of USD 7" in browser.text
    browser.post("/usage/spend-cap", {"cap": ""}, status=403, seen="/contacts")
