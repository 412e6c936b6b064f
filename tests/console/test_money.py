"""Invoices, margins and costs as an operator sees them, and what an operator may do to an invoice."""

from datetime import UTC, datetime

import pytest
from django.contrib.admin.models import LogEntry

from billing import books
from billing.books.buyers import buyer_of
from billing.models import Invoice
from tests.billing.books import issued, paid, usd
from tests.console.doors import page_of
from tests.factories import TaxProfileFactory, UsageEventFactory

pytestmark = pytest.mark.django_db
OCTOBER = datetime(2026, 10, 15, tzinfo=UTC)
INVOICES = "/console/billing/invoice/"


def use(tenant, meter, units, **properties):
    UsageEventFactory(
        tenant_id=tenant.pk, meter=meter, quantity=units, recorded_at=OCTOBER, occurred_at=OCTOBER,
        properties=properties,
    )  # fmt: skip


def test_an_invoice_is_void_written_off_or_taken_back_with_a_reason(operator, acme, now):
    first, second, third = (issued(acme, now, 10_000, key=key) for key in "abc")
    paid(third, 10_000, now)
    operator.get(INVOICES)
    assert "PLZ-000002 acme open 100.00 USD 100.00 USD" in operator.text

    for invoice, act in ((first, "void"), (second, "write-off"), (third, "take-back")):
        path = f"{INVOICES}{invoice.pk}/{act}/"
        operator.get(path)
        operator.post(path, {"reason": "A mistake of ours."}, status=302)

    assert list(Invoice.objects.order_by("number").values_list("status", flat=True)) == [
        "void",
        "uncollectible",
        "paid",
    ]
    assert books.balances(acme.pk) == [usd(10_000)]
    assert LogEntry.objects.count() == 3
    operator.post(f"{INVOICES}{third.pk}/void/", {"reason": "Too late."})
    assert "issue a credit note instead" in operator.text


def test_an_operator_verifies_a_tax_id(operator, acme):
    TaxProfileFactory(tenant_id=acme.pk, country="DE", tax_id="DE136695976")
    assert buyer_of(acme.pk)[0].is_tax_id_valid is False
    path = f"/console/billing/taxprofile/{acme.pk}/verify/"
    operator.get(path)
    operator.post(path, {"reason": "VIES says so."}, status=302)

    assert buyer_of(acme.pk)[0].is_tax_id_valid is True


def test_margins_are_shown_by_plan_and_tenant(operator, acme, globex, now):
    paid(issued(acme, OCTOBER, 10_000), 10_000, OCTOBER, fee=320)
    use(acme, "sms", 1_000)
    use(globex, "images", 100)

    operator.get("/console/margins/?month=2026-10")

    assert "growth 100.00 USD 3.20 USD 7.90 USD 88.90 USD 89 %" in operator.text
    assert "globex 0.00 USD 0.00 USD 4.00 USD -4.00 USD –" in operator.text
    assert 'role="alert"' in operator.get("/console/margins/?month=%00")
    operator.get("/console/margins/", Accept_Language="es")
    assert "Márgenes" in operator.text


def test_a_tenants_costs_are_shown_by_who_caused_them(operator, acme):
    use(acme, "sms", 1_000, member="ana", campaign="summer")
    use(acme, "emails", 50_000, api_key="k1")

    operator.get(f"{page_of(acme)}/costs/?month=2026-10")

    for words in ("campaigns sms 1,000 7.90 USD", "ana sms 1,000 7.90 USD",
                  "k1 emails 50,000 5.00 USD", "summer sms 1,000 7.90 USD"):  # fmt: skip
        assert words in operator.text


def test_whoever_is_no_operator_sees_no_margins(acme):
    from tests.portal.browser import SQUARE, Browser

    Browser(SQUARE).get("/console/margins/", status=302)
