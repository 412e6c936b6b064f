"""Refunds and disputes: read anew from Stripe, entered once, in whatever order they become known."""

import itertools
from typing import Any

import pytest
from django.db import transaction

from billing import books
from billing.models import Account, Invoice, Payment, ProviderTransaction, Refund, WebhookEvent
from billing.money import Money
from billing.services.refunding import send_back
from tests.billing.collected import issued, obey
from tests.billing.conftest import ask, knock, work
from tests.billing.test_collecting import clean, paying, shop  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db


@pytest.fixture
def paid(shop, clean, now, settle) -> Payment:  # noqa: F811
    invoice = issued(clean.tenant_id, "november", now=now)
    obey(now=now)
    settle()
    return Payment.objects.get(invoice=invoice)


def standing(tenant_id: Any) -> dict[str, int]:
    rows = Account.objects.filter(tenant_id=tenant_id).exclude(balance_minor=0)
    return {row.kind: row.balance_minor for row in rows}


def test_a_refund_of_ours_is_sent_once_though_its_answer_is_lost(shop, paid, control, settle, now):  # noqa: F811
    note = books.credit_note(
        invoice_id=paid.invoice_id, reason="seats", key="cn", now=now, amounts={2: 2_697}
    )
    control("faults", kind="lost_answer", times=1, path="/v1/refunds")
    made = send_back(payment_id=paid.pk, amount=note.total, key="back", now=now)
    send_back(payment_id=paid.pk, amount=note.total, key="back", now=now)
    assert obey(now=now) == ["done"]
    settle()

    made.refresh_from_db()
    (back,) = shop.account.find("refund")
    assert (back["amount"], made.status, made.provider_ref) == (3_129, "sent", back["id"])
    assert Refund.objects.count() == 1
    assert not ProviderTransaction.objects.filter(entered_at=None).exists()


def test_a_refund_made_at_stripes_own_pages_makes_the_invoice_due_again(shop, paid, settle):  # noqa: F811
    ask(shop, "refunds", charge=paid.provider_ref, amount=1_000)
    settle()
    settle()

    invoice = Invoice.objects.get(pk=paid.invoice_id)
    assert (invoice.status, invoice.amount_due) == ("open", Money(1_000, "USD"))
    assert Refund.objects.get().amount_minor == 1_000


def test_a_dispute_takes_the_money_and_one_that_is_won_brings_it_back(
    shop,  # noqa: F811
    paid,
    control,
    settle,
):
    before = standing(paid.tenant_id)
    control("disputes", charge=paid.provider_ref, status="warning_needs_response")
    settle()
    assert standing(paid.tenant_id) == before

    control("disputes", charge=paid.provider_ref, status="needs_response")
    settle()
    invoice = Invoice.objects.get(pk=paid.invoice_id)
    assert (invoice.status, invoice.amount_due) == ("open", Money(27_644, "USD"))

    control("disputes", charge=paid.provider_ref, status="won")
    settle()
    invoice.refresh_from_db()
    assert (invoice.status, standing(paid.tenant_id)) == ("paid", before)


def test_any_order_of_payment_refund_and_dispute_ends_in_the_same_books(
    shop,  # noqa: F811
    clean,  # noqa: F811
    square,
    control,
    arrivals,
    now,
):
    """None of it is known here before its webhook: even the answer to collecting was lost."""
    issued(clean.tenant_id, "november", now=now)
    with transaction.atomic():
        obey(now=now)
        transaction.set_rollback(True)
    charge = shop.account.find("charge")[-1]["id"]
    ask(shop, "refunds", charge=charge, amount=1_000)
    control("disputes", charge=charge, status="needs_response")
    control("disputes", charge=charge, status="won")
    kinds = ("invoice.paid", "charge.refunded", "charge.dispute.created", "charge.dispute.closed")
    told = [one for one in arrivals() if any(f'"{kind}"'.encode() in one.body for kind in kinds)]
    ends = set()
    for order in itertools.islice(itertools.permutations(told[-4:]), 0, 24, 3):
        with transaction.atomic():
            for arrival in order:
                assert knock(square, arrival) == 200
                work()
            assert set(WebhookEvent.objects.values_list("status", flat=True)) <= {"done", "ignored"}
            invoice = Invoice.objects.get(key="november")
            ends.add(
                (invoice.status, invoice.amount_due, *sorted(standing(clean.tenant_id).items()))
            )
            transaction.set_rollback(True)

    assert len(ends) == 1
    assert ends.pop()[:2] == ("open", Money(1_000, "USD"))
