"""Being overdue: asked for by degrees, lifted by the payment itself, given up in the end."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail

from billing import books
from billing.books.checking import faults
from billing.models import Account, Dunning, Invoice, Payment, Subscription
from billing.money import Money
from billing.services import collecting, overdue, transactions, trials
from billing.services.closing import bill_late_use, close_due
from billing.services.dunning import STEPS, dun_due
from billing.services.subscriptions import start
from config.models import OutboxMessage
from quotas.entitlements import snapshot
from tenants.mails import posting
from tenants.models import Mail, Person, Tenant
from tests.billing.paying import FEB_28, JAN_31, SECOND, invoices, paying, use
from tests.billing.test_at_once import at_once
from tests.client import member_of

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def owing(globex) -> Subscription:
    """globex, whose first payment has failed on January 31."""
    row = paying(globex)
    member_of(globex)
    collecting.declined(tenant_id=globex.id, reason="insufficient_funds", now=JAN_31)
    row.refresh_from_db()
    return row


def pay(invoice: Invoice, *, at: datetime, ref: str) -> Payment:
    payment = books.record_payment(
        invoice_id=invoice.pk,
        provider="stripe",
        provider_ref=ref,
        amount=Money(invoice.total_minor, invoice.currency),
        fee=Money(0, invoice.currency),
        now=at,
    )
    overdue.recover(tenant_id=invoice.tenant_id, now=at)
    return payment


def hold_of(tenant: Tenant) -> str:
    return snapshot(tenant.id, now=JAN_31).hold


def kinds(tenant: Tenant) -> list[str]:
    return list(Mail.objects.filter(tenant=tenant).order_by("pk").values_list("kind", flat=True))


def test_it_is_asked_for_by_degrees_each_step_once_until_it_is_given_up(owing, globex):
    seen: list[tuple[int, str]] = []
    for day in range(40):
        before = hold_of(globex)
        for _ in range(2):
            dun_due(now=JAN_31 + day * DAY)
        if hold_of(globex) != before:
            seen.append((day, hold_of(globex)))

    assert seen == [(3, "subscription_read_only"), (14, "subscription_past_due"), (28, "")]
    owing.refresh_from_db()
    assert (owing.status, owing.plan, owing.billed_until) == ("cancelled", "free", None)
    assert kinds(globex) == [
        "payment_failed", "payment_read_only", "payment_last_days", "payment_suspended",
        "payment_given_up",
    ]  # fmt: skip
    case = Dunning.objects.get()
    assert (case.steps_done, case.is_given_up, case.ended_at) == (
        len(STEPS), True, JAN_31 + 28 * DAY,
    )  # fmt: skip
    assert {invoice.status for invoice in invoices(globex)} == {"uncollectible"}


def balance(tenant: Tenant, kind: str) -> int:
    """Of one of its accounts, in USD."""
    return Account.objects.get(tenant_id=tenant.id, kind=kind, currency="USD").balance_minor


def test_the_last_use_is_given_up_with_the_rest_and_recovered_by_who_pays_after_all(owing, globex):
    use(globex, 900_000_000, at=JAN_31, key="much")
    while not Dunning.objects.get().is_given_up:
        dun_due(now=JAN_31 + 28 * DAY - SECOND)
        dun_due(now=JAN_31 + 28 * DAY)
    use(globex, 50_000_000, at=FEB_28 - SECOND, key="late")
    bill_late_use(now=FEB_28 + DAY)

    rows = invoices(globex)
    owed = sum(invoice.total_minor for invoice in rows)
    assert {invoice.status for invoice in rows} == {"uncollectible"}
    assert [line.kind for row in rows[1:] for line in row.lines.all()] == ["usage", "late_usage"]
    assert (balance(globex, "bad_debt"), balance(globex, "receivable")) == (owed, 0)
    for number, invoice in enumerate(rows):
        pay(invoice, at=FEB_28 + 2 * DAY, ref=f"ch_{number}")
    assert (balance(globex, "bad_debt"), balance(globex, "cash_stripe")) == (0, owed)
    assert {invoice.status for invoice in invoices(globex)} == {"paid"}
    owing.refresh_from_db()
    assert (owing.status, owing.plan, list(faults())) == ("cancelled", "free", [])


def test_the_last_invoice_of_one_who_left_is_asked_for_without_restricting_anything(globex):
    row = paying(globex)
    member_of(globex)
    pay(invoices(globex)[0], at=JAN_31, ref="ch_1")
    use(globex, 900_000_000, at=JAN_31, key="much")
    Subscription.objects.filter(pk=row.pk).update(cancels_at_period_end=True)
    close_due(now=FEB_28)
    collecting.declined(tenant_id=globex.id, reason="declined", now=FEB_28)

    holds = {day: (dun_due(now=FEB_28 + day * DAY), hold_of(globex)) for day in range(28)}

    steps = [day for day, (taken, _) in holds.items() if taken]
    assert (steps, {hold for _, hold in holds.values()}) == ([1, 3, 5, 7, 10, 14, 21], {""})
    assert dun_due(now=FEB_28 + 28 * DAY) == 1
    row.refresh_from_db()
    assert (row.status, invoices(globex)[-1].status) == ("cancelled", "uncollectible")
    assert kinds(globex) == ["payment_failed", "payment_given_up"]
    paying(globex, at=FEB_28 + 30 * DAY)
    assert overdue.payment_failed(tenant_id=globex.id, now=FEB_28 + 31 * DAY) is True
    assert Dunning.objects.filter(ended_at=None).get().steps_done == 0


@pytest.mark.parametrize("day", [0, 4, 15])
def test_the_payment_lifts_everything_in_its_own_transaction(owing, globex, api, day):
    for passed in range(day + 1):
        dun_due(now=JAN_31 + passed * DAY)
    paid_at = JAN_31 + day * DAY + SECOND

    pay(invoices(globex)[0], at=paid_at, ref="ch_1")

    owing.refresh_from_db()
    assert (owing.status, owing.grace_ends_at, hold_of(globex)) == ("active", None, "")
    assert api(globex).get("/api/v1/members")["results"]
    assert kinds(globex)[-1] == "payment_recovered"
    assert dun_due(now=paid_at + 30 * DAY) == 0


def test_a_second_failure_goes_on_with_the_first_and_one_after_paying_begins_anew(owing, globex):
    assert overdue.payment_failed(tenant_id=globex.id, now=JAN_31 + DAY) is False
    pay(invoices(globex)[0], at=JAN_31 + 2 * DAY, ref="ch_1")
    close_due(now=FEB_28)
    assert overdue.payment_failed(tenant_id=globex.id, now=FEB_28) is True

    began = Dunning.objects.order_by("began_at").values_list("began_at", flat=True)
    assert list(began) == [JAN_31, FEB_28]
    owing.refresh_from_db()
    assert owing.grace_ends_at == FEB_28 + 3 * DAY


def test_who_owes_two_invoices_is_released_by_the_last(owing, globex):
    close_due(now=FEB_28)
    first, second = invoices(globex)

    pay(first, at=FEB_28, ref="ch_1")
    owing.refresh_from_db()
    assert owing.status == "past_due"
    pay(second, at=FEB_28, ref="ch_2")
    owing.refresh_from_db()
    assert owing.status == "active"


def test_money_that_arrives_releases_by_itself(owing, globex):
    from tests import factories

    factories.ProviderTransactionFactory(
        tenant_id=globex.id, amount_minor=invoices(globex)[0].total_minor, currency="USD"
    )

    transactions.enter(tenant_id=globex.id, now=JAN_31 + DAY)

    owing.refresh_from_db()
    assert (owing.status, invoices(globex)[0].status) == ("active", "paid")


def test_the_mails_are_in_each_persons_language_and_name_what_is_owed(owing, globex):
    Person.objects.filter(email="owner@globex.test").update(locale="es")
    told = Mail.objects.get(kind="payment_failed")

    posting.send(mail_id=told.pk, now=JAN_31)

    (message,) = mail.outbox
    assert message.subject == "No se pudo cobrar un pago de Globex Inc."
    assert f"La factura {invoices(globex)[0].reference} está abierta: USD 99.00." in message.body


@pytest.mark.django_db(transaction=True)
def test_many_who_dun_at_once_take_each_step_once(globex):
    paying(globex)
    member_of(globex)
    collecting.declined(tenant_id=globex.id, reason="", now=JAN_31)

    at_once(lambda _: dun_due(now=JAN_31 + 3 * DAY), times=6)
    at_once(lambda _: dun_due(now=JAN_31 + 3 * DAY), times=6)

    assert Dunning.objects.get().steps_done == 2
    assert kinds(globex) == ["payment_failed", "payment_read_only"]


def test_a_trials_end_is_told_once_three_days_before(globex, now):
    member_of(globex)
    ends_at: Any = Subscription.objects.get(tenant=globex).trial_ends_at

    told = [trials.tell_ending(now=ends_at - days * DAY) for days in (4, 3, 2, 1)]

    assert told == [0, 1, 0, 0]
    assert kinds(globex) == ["trial_ending"]
    assert start(tenant=globex, plan="growth", now=now).plan == "starter"
    assert OutboxMessage.objects.filter(task="tenants.send_mail").count() == 1
