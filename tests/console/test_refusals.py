"""A tenant's record lists what was refused of late, in words, and finds one by its request id."""

from datetime import UTC, datetime

import pytest

from quotas.meters import EPOCH
from tests import factories
from tests.console.doors import page_of

pytestmark = pytest.mark.django_db


def refused(tenant, request_id, name):
    grant = {
        "source": "override", "plan": "", "priority": 9, "decides": True,
        "expires_at": "2031-01-31T00:00:00Z", "states": {"limit": 2, "seconds": 60},
    }  # fmt: skip
    told = {
        "method": "GET", "path": f"/api/v1/{name}", "rule": "rate:tenant", "limit": 2, "used": 2,
        "plan": "growth", "grants": [grant], "resets_at": None,
    }  # fmt: skip
    factories.ExplanationFactory(
        tenant_id=tenant.pk, request_id=request_id, code="rate_limited", told=told
    )


def test_refusals_are_listed_with_rule_plan_override_and_counter(operator, acme, globex):
    refused(acme, "first-of-acme", "contacts")
    refused(acme, "second-of-acme", "orders")
    refused(globex, "of-globex", "companies")

    page = operator.get(f"{page_of(acme)}/change/")
    assert f"{page_of(acme)}/refusals/" in page
    operator.get(f"{page_of(acme)}/refusals/")
    for words in (
        "Too many requests.",
        "Requests of the tenant together",
        "override: 2 in 60 s, until Jan 31, 2031",
        "2 of 2 used",
        "growth",
        "GET /api/v1/orders",
        "first-of-acme",
    ):
        assert words in operator.text
    assert "of-globex" not in operator.text


def test_one_refusal_is_found_by_its_request_id(operator, acme, globex):
    refused(acme, "first-of-acme", "contacts")
    refused(acme, "second-of-acme", "orders")
    refused(globex, "of-globex", "companies")

    operator.get(f"{page_of(acme)}/refusals/?request_id=second-of-acme")
    assert ("orders" in operator.text, "contacts" in operator.text) == (True, False)
    for nothing in ("of-globex", "%00x", "x" * 200):
        operator.get(f"{page_of(acme)}/refusals/?request_id={nothing}")
        assert "Nothing was refused in the last days." in operator.text
    operator.get("/console/tenants/tenant/garbage/refusals/", status=404)


def test_a_month_is_replayed_on_another_plan(operator, acme):
    factories.UsageEventFactory(
        tenant_id=acme.pk,
        quantity=777,
        period_start=EPOCH,
        occurred_at=datetime(2026, 1, 5, tzinfo=UTC),
    )

    assert f"{page_of(acme)}/what_if/" in operator.get(f"{page_of(acme)}/change/")
    operator.get(f"{page_of(acme)}/what_if/")
    operator.get(f"{page_of(acme)}/what_if/?plan=free&month=2026-01")
    for words in ("contacts 777 500 277 Jan 5, 2026", "USD 99.00", "USD -99.00", "campaigns"):
        assert words in operator.text
    operator.get(f"{page_of(acme)}/what_if/?plan=golden&month=2026-01")
    assert "One of free, starter" in operator.text
    operator.get(f"{page_of(acme)}/what_if/?plan=free&month=%00")
    assert "A month is written like 2026-10." in operator.text
