"""The books outlive their tenant for INVOICE_RETENTION_YEARS, and no longer."""

from datetime import UTC, datetime, timedelta

import pytest

from billing import books
from billing.books.checking import faults
from billing.models import Account, Invoice, JournalEntry, NumberSequence, Posting, TaxProfile
from tenants import life
from tenants.models import Erasure
from tests.billing.books import issued, paid, usd
from tests.factories import TaxProfileFactory
from tests.tenants.endings import furnished, own_files, past_window, quiet  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_files")]
LONG_AGO = datetime(2012, 2, 29, tzinfo=UTC)


def billed(slug: str, at: datetime):
    tenant = furnished(slug)
    TaxProfileFactory(tenant_id=tenant.pk)
    payment = paid(issued(tenant, at, 10_000, tax=1_600), 11_600, at, ref=slug)
    invoice = Invoice.objects.get(pk=payment.invoice_id)
    books.credit_note(invoice_id=invoice.pk, reason="x", key="cn", amounts={1: 5_000}, now=at)
    books.refund(payment_id=payment.pk, amount=usd(1_000), key="r", now=at)
    return tenant


def test_an_erasure_leaves_the_books_and_the_years_end_them():
    now = datetime.now(UTC)
    luna, sol = billed("luna", LONG_AGO), billed("sol", LONG_AGO)
    life.close(tenant_id=sol.pk, reason="Over.", by="test", now=now)
    books.forget_books(now=now)

    certificate = life.erase(tenant_id=sol.pk, now=past_window(sol), tell=quiet)

    assert not TaxProfile.objects.filter(tenant_id=sol.pk).exists()
    assert {name: count for name, count in certificate["kept"].items() if count} == {
        "billing_account": len(Account.Kind), "billing_creditmovement": 2, "billing_creditnote": 1,
        "billing_invoice": 1, "billing_invoiceline": 1, "billing_invoicetax": 1,
        "billing_journalentry": 4, "billing_payment": 1, "billing_posting": 10, "billing_refund": 1,
        "tenants_erasure": 1,
    }  # fmt: skip
    assert Invoice.objects.get(tenant_id=sol.pk).buyer["tax_id"] == "ACM010101AAA"
    # Long ago issued, but only just erased.
    assert books.forget_books(now=now) == 0
    Erasure.objects.update(finished_at=now - timedelta(days=3_660))
    assert books.forget_books(now=now) == 1
    assert books.forget_books(now=now) == 0

    left = {
        model: list(model.objects.values_list("tenant_id", flat=True).distinct())
        for model in (Invoice, JournalEntry, Posting, Account)
    }
    assert left == {model: [luna.pk] for model in left}
    assert list(NumberSequence.objects.order_by("series").values_list("last", "forgotten")) == [
        (2, 1), (2, 1),
    ]  # fmt: skip
    assert list(faults()) == []
    assert issued(luna, now, 1, key="next").number == 3


def test_what_is_young_stays_although_its_tenant_was_erased_long_ago():
    now = datetime.now(UTC)
    sol = billed("sol", now)
    life.close(tenant_id=sol.pk, reason="Over.", by="test", now=now)
    life.erase(tenant_id=sol.pk, now=past_window(sol), tell=quiet)
    Erasure.objects.update(finished_at=LONG_AGO)

    assert books.forget_books(now=now) == 0
    assert Invoice.objects.filter(tenant_id=sol.pk).count() == 1
