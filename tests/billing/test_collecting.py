"""An issued invoice, collected by Stripe: our lines, our total, once, whatever goes wrong on the way."""

from datetime import timedelta
from typing import Any

import pytest

from billing import books
from billing.models import Invoice, Payment, ProviderCommand, ProviderTransaction, Subscription
from billing.money import Money
from billing.providers import gateway
from billing.services import collecting, commands, prices
from billing.services.entrusting import promise_entrusting, promise_mirror
from tests.billing.collected import issued, obey, outcomes
from tests.billing.conftest import pay

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(db, stripe) -> Any:
    """The provider, with the one price that is bought here."""
    account = gateway("stripe")
    for difference in prices.differences(account):
        if difference.spec.lookup_key == "plaza_growth_usd_month":
            prices.bring(account, difference)
    return stripe


@pytest.fixture
def paying(shop, api, globex, settle) -> Subscription:
    """globex, whose card is at Stripe, and whom we bill from now on."""
    pay(api(globex).post("/api/v1/checkout", {"plan": "growth"})["url"])
    settle()
    return Subscription.objects.get(tenant=globex)


@pytest.fixture
def clean(paying: Subscription, now: Any) -> Subscription:
    """The first period's invoice is paid by what was paid at the checkout; the outbox is empty."""
    assert set(obey(now=now)) <= {"done"}
    first = Invoice.objects.get()
    assert (first.status, first.paid_minor) == ("paid", 9_900)
    ProviderCommand.objects.filter(kind="collect").delete()
    return paying


def ours_at_stripe(shop: Any, invoice: Invoice) -> list[Any]:
    named = str(invoice.pk)
    return [
        one for one in shop.account.find("invoice") if one["metadata"].get("invoice_id") == named
    ]


def charged(shop: Any) -> list[int]:
    return [one["amount"] for one in shop.account.find("charge") if one["status"] == "succeeded"]


def test_stripes_total_is_ours_to_the_cent_with_each_of_our_lines(shop, clean, now):
    invoice = issued(clean.tenant_id, "november", now=now)
    assert obey(now=now) == ["done"]

    (there,) = ours_at_stripe(shop, invoice)
    amounts = [one["amount"] for one in there["lines"]["data"]]
    assert amounts == [9_900, 2_697, 12_345, -1_111, 3_813]
    assert (there["total"], there["amount_paid"]) == (invoice.total_minor, 27_644)
    assert there["lines"]["data"][2]["description"] == "E-mails: 98,761"
    invoice.refresh_from_db()
    assert (invoice.status, invoice.amount_due) == ("paid", Money(0, "USD"))
    payment = Payment.objects.get(invoice=invoice)
    assert (payment.amount_minor, payment.fee_minor) == (27_644, 832)
    assert charged(shop) == [9_900, 27_644]


def test_what_was_paid_at_the_checkout_pays_the_first_invoice_and_is_not_asked_for_again(
    shop, paying, now
):
    invoice = Invoice.objects.get()
    assert (invoice.kind, invoice.total_minor) == ("start", 9_900)

    obey(now=now)
    obey(now=now)

    assert ours_at_stripe(shop, invoice) == []
    assert charged(shop) == [9_900]
    invoice.refresh_from_db()
    assert (invoice.status, invoice.paid_minor) == ("paid", 9_900)
    assert ProviderTransaction.objects.get().entered_at is not None


def test_promised_twice_and_done_twice_is_charged_once(shop, clean, now):
    invoice = issued(clean.tenant_id, "november", now=now)
    again = collecting.promise_collection(invoice_id=invoice.pk, now=now)
    assert again is not None
    assert commands.retry_due(now=now) == 1

    assert obey(now=now) == ["done", "busy"]
    assert charged(shop) == [9_900, 27_644]
    assert collecting.promise_collection(invoice_id=invoice.pk, now=now) is None


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("error", "/v1/invoices"),
        ("error", "/v1/invoiceitems"),
        ("lost_answer", "/v1/invoices"),
        ("lost_answer", "/v1/invoiceitems"),
        ("no_answer", "/v1/charges"),
    ],
)
def test_a_provider_that_fails_on_the_way_is_asked_again_and_charges_once(
    shop, clean, control, now, kind, path
):
    invoice = issued(clean.tenant_id, "november", now=now)
    moment, statuses = now, []
    for times in (3, 1):
        control("faults", kind=kind, times=times, path=path)
        statuses += obey(now=moment)
        shop.faults.clear()
        moment += timedelta(hours=12)
        commands.retry_due(now=moment)
    statuses += obey(now=moment)

    assert "done" in statuses
    invoice.refresh_from_db()
    assert (invoice.status, charged(shop)) == ("paid", [9_900, 27_644])
    paid = [one["total"] for one in ours_at_stripe(shop, invoice) if one["status"] == "paid"]
    assert paid == [27_644]


def test_a_decline_is_an_answer_and_the_next_attempt_charges_the_same_invoice(
    shop, clean, control, now
):
    card = shop.account.find("payment_method")[-1]["id"]
    control("cards", payment_method=card, decline="insufficient_funds")
    invoice = issued(clean.tenant_id, "november", now=now)
    assert obey(now=now) == ["done"]
    assert outcomes() == ["declined insufficient_funds"]

    control("cards", payment_method=card, decline="")
    later = now + timedelta(days=3)
    collecting.promise_collection(invoice_id=invoice.pk, now=later)
    assert obey(now=later) == ["done"]

    assert [one["status"] for one in ours_at_stripe(shop, invoice)] == ["paid"]
    assert charged(shop) == [9_900, 27_644]


def test_what_is_due_after_a_part_was_credited_is_what_the_next_attempt_asks_for(
    shop, clean, control, now
):
    card = shop.account.find("payment_method")[-1]["id"]
    control("cards", payment_method=card, decline="insufficient_funds")
    invoice = issued(clean.tenant_id, "november", now=now)
    obey(now=now)
    books.credit_note(invoice_id=invoice.pk, reason="too much", key="cn", now=now, amounts={1: 900})
    control("cards", payment_method=card, decline="")
    collecting.promise_collection(invoice_id=invoice.pk, now=now)
    obey(now=now)

    invoice.refresh_from_db()
    states = [(one["status"], one["total"]) for one in ours_at_stripe(shop, invoice)]
    assert states == [("void", 27_644), ("paid", 27_644 - 1_044)]
    assert invoice.status == "paid"


def test_a_voided_invoice_is_withdrawn(shop, clean, control, now):
    card = shop.account.find("payment_method")[-1]["id"]
    control("cards", payment_method=card, decline="insufficient_funds")
    invoice = issued(clean.tenant_id, "november", now=now)
    obey(now=now)
    collecting.void(invoice_id=invoice.pk, reason="wrong", now=now)
    obey(now=now)

    assert [one["status"] for one in ours_at_stripe(shop, invoice)] == ["void"]
    assert charged(shop) == [9_900]


def test_once_paid_for_stripes_own_invoices_are_void_and_nothing_is_billed_twice(
    shop, clean, settle, control, now
):
    # The webhook of the checkout has promised it; asked again, it is done.
    promise_entrusting(tenant_id=clean.tenant_id, now=now)
    assert obey(now=now) == []

    control("clock", advance_seconds=70 * 86_400)
    settle()

    assert charged(shop) == [9_900]
    assert Subscription.objects.get(pk=clean.pk).status == "active"
    assert ProviderCommand.objects.filter(kind="entrust").count() == 1


def test_what_was_used_is_mirrored_once_in_a_meter_without_a_price(shop, clean, control, now):
    control("faults", kind="lost_answer", times=1, path="/v1/billing/meter_events")
    invoice = issued(clean.tenant_id, "november", now=now)
    obey(now=now)
    promise_mirror(invoice_id=invoice.pk, now=now)
    obey(now=now)

    (told,) = shop.account.find("billing.meter_event")
    assert (told["event_name"], told["payload"]["value"]) == ("plaza_emails", "98761")
    assert told["payload"]["stripe_customer_id"] == clean.provider_customer_id
    assert not [one for one in shop.account.find("price") if one["recurring"]["meter"]]
    assert charged(shop) == [9_900, 27_644]
