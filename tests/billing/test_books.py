"""Invoices from their issue to their end, and what the accounts stand at each time."""

from typing import Any

import pytest

from billing import books
from billing.books.refusals import (
    CreditNoteTooLarge,
    CreditTooSmall,
    InvoiceNotOpen,
    InvoiceSettled,
    RefundTooLarge,
)
from billing.models import CreditMovement, Invoice, JournalEntry
from billing.money import CurrencyMismatch, Money
from tests.billing.books import draft, issued, paid, standing, usd
from tests.factories import TaxProfileFactory

pytestmark = pytest.mark.django_db


def refreshed(invoice):
    invoice = Invoice.objects.get(pk=invoice.pk)
    return invoice.status, invoice.amount_due


def test_an_invoice_is_a_numbered_snapshot_of_its_draft(acme, now):
    TaxProfileFactory(tenant_id=acme.pk)
    invoice = issued(acme, now, 10_000, 5_000, tax=2_400)
    issued(acme, now, 1, key="nov")

    invoice = Invoice.objects.get(pk=invoice.pk)
    assert invoice.reference == "PLZ-000001"
    assert Invoice.objects.get(key="nov").reference == "PLZ-000002"
    assert (invoice.status, invoice.total, invoice.amount_due) == ("open", usd(17_400), usd(17_400))
    assert (invoice.buyer["tax_id"], invoice.seller["name"]) == ("ACM010101AAA", "Plaza")
    assert [(one.position, one.amount_minor) for one in invoice.lines.order_by("position")] == [
        (1, 10_000),
        (2, 5_000),
    ]
    assert [(one.tax, one.amount_minor) for one in invoice.taxes.all()] == [("iva", 2_400)]
    assert standing(acme) == {"receivable": 17_401, "revenue": -15_001, "tax": -2_400}


def test_the_same_key_is_the_same_invoice_and_takes_no_number(acme, globex, now):
    first = issued(acme, now, 10_000)
    again = issued(acme, now, 99)
    other = issued(globex, now, 10_000)

    assert (again.pk, again.total_minor) == (first.pk, 10_000)
    assert other.number == first.number + 1
    assert standing(acme) == {"receivable": 10_000, "revenue": -10_000}


def test_a_payment_settles_and_what_is_beyond_it_is_credit_for_the_next_invoice(acme, now):
    first = issued(acme, now, 10_000)
    paid(first, 4_000, now, ref="pi_1", fee=146)
    assert refreshed(first) == ("open", usd(6_000))
    paid(first, 9_000, now, ref="pi_2", fee=291)
    paid(first, 9_000, now, ref="pi_2", fee=291)

    assert refreshed(first) == ("paid", usd(0))
    assert books.balances(acme.pk) == [usd(3_000)]
    assert standing(acme) == {
        "revenue": -10_000, "credit": -3_000, "cash_stripe": 12_563, "fees": 437,
    }  # fmt: skip
    second = issued(acme, now, 5_000, key="nov")
    assert (second.status, second.amount_due) == ("open", usd(2_000))
    assert books.balances(acme.pk) == []


def test_a_fee_in_another_currency_balances_in_both(acme, now):
    invoice = books.issue(
        tenant_id=acme.pk, draft=draft(10_000), kind=Invoice.Kind.PERIOD, key="oct", now=now
    )
    books.record_payment(
        invoice_id=invoice.pk,
        provider="paypal",
        provider_ref="CAP-1",
        amount=usd(10_000),
        fee=Money(6_100, "MXN"),
        now=now,
    )
    with pytest.raises(CurrencyMismatch):
        books.record_payment(
            invoice_id=invoice.pk,
            provider="paypal",
            provider_ref="CAP-2",
            amount=Money(1, "MXN"),
            fee=Money(0, "MXN"),
            now=now,
        )
    assert standing(acme) == {"revenue": -10_000, "cash_paypal": 10_000}


def test_a_negative_total_becomes_credit(acme, now):
    invoice = issued(acme, now, 2_000, -5_000, tax=-480)
    next_one = issued(acme, now, 3_000, key="nov")

    assert (invoice.status, invoice.amount_due) == ("paid", usd(0))
    assert (next_one.status, next_one.applied_minor) == ("paid", 3_000)
    assert books.balances(acme.pk) == [usd(480)]
    assert list(CreditMovement.objects.order_by("id").values_list("reason", "amount_minor")) == [
        ("negative_invoice", 3_480),
        ("applied", -3_000),
    ]


def test_a_void_invoice_gives_credit_back_and_keeps_its_number(acme, now):
    books.grant_credit(
        tenant_id=acme.pk, amount=usd(1_000), note="sorry", by="op", key="k", now=now
    )
    invoice = issued(acme, now, 10_000, tax=1_600)
    books.void(invoice_id=invoice.pk, reason="twice", now=now)
    books.void(invoice_id=invoice.pk, reason="twice", now=now)

    assert refreshed(invoice) == ("void", usd(0))
    assert standing(acme) == {"promotions": 1_000, "credit": -1_000}
    assert issued(acme, now, 1, key="nov").number == invoice.number + 1
    # The provider had collected it meanwhile: nothing is lost.
    paid(invoice, 10_600, now)
    assert refreshed(invoice) == ("void", usd(0))
    assert books.balances(acme.pk) == [usd(11_599)]


def test_what_was_paid_is_not_void(acme, now):
    invoice = issued(acme, now, 10_000)
    paid(invoice, 1, now)
    with pytest.raises(InvoiceSettled):
        books.void(invoice_id=invoice.pk, reason="x", now=now)


def test_a_debt_that_was_written_off_is_recovered_when_it_is_paid_after_all(acme, now):
    invoice = issued(acme, now, 10_000)
    paid(invoice, 4_000, now, ref="pi_1")
    books.write_off(invoice_id=invoice.pk, reason="gone", now=now)
    books.write_off(invoice_id=invoice.pk, reason="gone", now=now)
    assert refreshed(invoice) == ("uncollectible", usd(0))
    assert standing(acme) == {"revenue": -10_000, "cash_stripe": 4_000, "bad_debt": 6_000}
    paid(invoice, 6_000, now, ref="pi_2")

    assert refreshed(invoice) == ("paid", usd(0))
    assert standing(acme) == {"revenue": -10_000, "cash_stripe": 10_000}
    with pytest.raises(InvoiceNotOpen):
        books.write_off(invoice_id=invoice.pk, reason="gone", now=now)


def test_credit_notes_in_parts_give_back_exactly_the_whole(acme, now):
    invoice = issued(acme, now, 1_001, 333, tax=213)  # 16 % of 1,334 is 213.44
    paid(invoice, 1_547, now)
    for number, amounts in enumerate([{1: 500}, {1: 300, 2: 33}, None]):
        books.credit_note(
            invoice_id=invoice.pk, reason="x", key=f"cn{number}", amounts=amounts, now=now
        )
    again = books.credit_note(invoice_id=invoice.pk, reason="x", key="cn2", now=now)

    notes = list(invoice.credit_notes.order_by("number"))
    assert [(note.subtotal_minor, note.tax_minor) for note in notes] == [
        (500, 80),
        (333, 53),
        (501, 80),
    ]
    assert again == notes[2]
    assert notes[0].reference == "PLZ-CN-000001"
    assert books.balances(acme.pk) == [usd(1_547)]
    assert standing(acme) == {"credit": -1_547, "cash_stripe": 1_547}
    with pytest.raises(CreditNoteTooLarge):
        books.credit_note(invoice_id=invoice.pk, reason="x", key="more", now=now)


def test_a_credit_note_first_reduces_what_is_due(acme, now):
    invoice = issued(acme, now, 10_000)
    paid(invoice, 9_000, now)
    note = books.credit_note(
        invoice_id=invoice.pk, reason="x", key="cn", amounts={1: 4_000}, now=now
    )

    assert (note.reduced_minor, note.to_credit_minor) == (1_000, 3_000)
    assert refreshed(invoice) == ("paid", usd(0))
    with pytest.raises(CreditNoteTooLarge):
        books.credit_note(invoice_id=invoice.pk, reason="x", key="cn2", amounts={1: 6_001}, now=now)


def test_a_refund_is_promised_out_of_credit_and_told_when_it_was_sent(acme, now):
    invoice = issued(acme, now, 10_000)
    payment = paid(invoice, 10_000, now)
    with pytest.raises(CreditTooSmall):
        books.refund(payment_id=payment.pk, amount=usd(10), key="r", now=now)
    note = books.credit_note(invoice_id=invoice.pk, reason="x", key="cn", now=now)
    asked: dict[str, Any] = {
        "payment_id": payment.pk,
        "amount": usd(6_000),
        "credit_note_id": note.pk,
    }
    first = books.refund(**asked, key="r1", now=now)
    assert books.refund(**asked, key="r1", now=now) == first
    with pytest.raises(RefundTooLarge):
        books.refund(**asked, key="r2", now=now)
    assert standing(acme) == {"credit": -4_000, "refunds_due": -6_000, "cash_stripe": 10_000}
    for _ in range(2):
        books.record_refund(
            payment_id=payment.pk,
            provider_ref="re_1",
            amount=usd(6_000),
            now=now,
            refund_id=first.pk,
        )

    assert standing(acme) == {"credit": -4_000, "cash_stripe": 4_000}
    second = books.refund(payment_id=payment.pk, amount=usd(4_000), key="r3", now=now)
    books.fail_refund(refund_id=second.pk, now=now)
    books.fail_refund(refund_id=second.pk, now=now)
    assert standing(acme) == {"credit": -4_000, "cash_stripe": 4_000}


def test_what_a_provider_gave_back_without_us_is_due_again(acme, now):
    invoice = issued(acme, now, 10_000)
    payment = paid(invoice, 11_000, now)
    issued(acme, now, 700, key="nov")  # spends most of the surplus
    for _ in range(2):
        books.record_refund(payment_id=payment.pk, provider_ref="dp_1", amount=usd(11_000), now=now)

    assert refreshed(invoice) == ("open", usd(10_000))
    assert standing(acme) == {"receivable": 10_000, "revenue": -10_700, "bad_debt": 700}
    assert JournalEntry.objects.filter(kind="refund_sent").count() == 1


def test_a_grant_is_given_once_and_taken_back_no_further_than_it_is_there(acme, now):
    grant = {"tenant_id": acme.pk, "note": "", "by": "op", "now": now}
    books.grant_credit(amount=usd(500), key="a", **grant)
    books.grant_credit(amount=usd(500), key="a", **grant)
    with pytest.raises(CreditTooSmall):
        books.grant_credit(amount=usd(-501), key="b", **grant)
    invoice = issued(acme, now, 200)
    late = issued(acme, now, 1_000, key="nov")
    books.grant_credit(amount=usd(100), key="c", **grant)
    books.apply_credit(invoice_id=late.pk, now=now)
    books.apply_credit(invoice_id=late.pk, now=now)

    assert (refreshed(invoice), refreshed(late)) == (("paid", usd(0)), ("open", usd(600)))
    assert standing(acme) == {"promotions": 600, "receivable": 600, "revenue": -1_200}
