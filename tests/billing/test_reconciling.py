"""What a provider and we do not have the same is listed, changes nothing, and is repaired when asked."""

from datetime import timedelta
from typing import Any

import pytest

from billing.models import (
    Invoice,
    ProviderCommand,
    ProviderDifference,
    ProviderTransaction,
    Subscription,
)
from billing.providers import gateway
from billing.services import reconciling, repairing
from config.errors import NotFound
from config.ids import new_id
from tests import factories
from tests.billing.collected import issued, obey
from tests.billing.conftest import ask, pay, work
from tests.billing.test_collecting import clean, paying, shop  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db


def reconciled(now: Any) -> list[tuple[str, str, str]]:
    """As some minutes later, when nothing is on its way any more."""
    found = reconciling.reconcile(gateway("stripe"), now=now + timedelta(minutes=15))
    return sorted((one.kind, one.here, one.there) for one in found)


def repaired(now: Any) -> int:
    done = repairing.repair_all(provider="stripe", now=now + timedelta(minutes=15))
    work()
    obey(now=now + timedelta(minutes=15))
    return done


def test_where_both_have_the_same_nothing_is_listed(shop, clean, settle, now):  # noqa: F811
    issued(clean.tenant_id, "november", now=now)
    obey(now=now)
    settle()

    assert reconciled(now) == []


def test_events_that_never_came_are_listed_and_change_nothing_until_they_are_repaired(
    shop,  # noqa: F811
    api,
    globex,
    arrivals,
    settle,
    now,
):
    pay(api(globex).post("/api/v1/checkout", {"plan": "growth"})["url"])
    assert arrivals()  # and every one of them is lost

    found = reconciled(now)
    listed = {there for kind, _, there in found if kind == "event"}
    assert listed == {
        *("checkout.session.completed", "customer.subscription.created"),
        *("customer.subscription.updated", "invoice.paid"),
    }
    assert ("subscription", "holds none", "active") in found
    assert Subscription.objects.get(tenant=globex).plan == "starter"
    assert reconciled(now) == found
    assert ProviderDifference.objects.count() == len(found)

    assert repaired(now) == len(found)
    assert Subscription.objects.get(tenant=globex).plan == "growth"
    assert ProviderTransaction.objects.get().amount_minor == 9_900
    settle()
    assert (Invoice.objects.get().status, reconciled(now)) == ("paid", [])


def test_money_that_no_invoice_asked_for_is_told_until_there_is_one(shop, clean, now):  # noqa: F811
    strange = factories.ProviderTransactionFactory(
        tenant_id=clean.tenant_id, currency="EUR", fee_currency="EUR", read_at=now
    )

    found = ("entry", "not in the books", "payment 9900 EUR done")
    assert found in reconciled(now)
    difference = ProviderDifference.objects.get(kind="entry")
    assert repairing.repair(difference_id=difference.pk, now=now).gone_at is None
    strange.refresh_from_db()
    assert strange.entered_at is None


def test_a_refund_that_nobody_told_us_is_a_difference_of_money(
    shop,  # noqa: F811
    clean,  # noqa: F811
    arrivals,
    now,
):
    invoice = issued(clean.tenant_id, "november", now=now)
    obey(now=now)
    arrivals()
    charge = shop.account.find("charge")[-1]["id"]
    ask(shop, "refunds", charge=charge, amount=1_000)
    arrivals()

    kinds = {kind for kind, _, _ in reconciled(now)}
    assert kinds == {"event", "transaction"}
    invoice.refresh_from_db()
    assert invoice.status == "paid"

    money = ProviderDifference.objects.get(kind="transaction")
    repairing.repair(difference_id=money.pk, now=now + timedelta(minutes=15))
    invoice.refresh_from_db()
    assert (invoice.status, invoice.amount_due.amount) == ("open", 1_000)
    with pytest.raises(NotFound):
        repairing.repair(difference_id=money.pk, now=now)


def test_a_payment_that_the_provider_does_not_know_stays_for_a_person(shop, clean, now):  # noqa: F811
    factories.ProviderTransactionFactory(
        tenant_id=clean.tenant_id, ref="ch_gone", entered_at=now, occurred_at=now
    )
    late = now + timedelta(hours=1)
    reconciling.reconcile(gateway("stripe"), now=late)
    (found,) = ProviderDifference.objects.filter(kind="transaction")

    assert (found.here, found.there) == ("payment 9900 USD done", "not known")
    assert repairing.repair(difference_id=found.pk, now=late).gone_at is None


def test_what_was_given_up_is_listed_and_begun_again(shop, clean, control, now):  # noqa: F811
    invoice = issued(clean.tenant_id, "november", now=now)
    ProviderCommand.objects.update(attempts=ProviderCommand.MOST_ATTEMPTS - 1)
    control("faults", kind="error", times=100, path="/v1/invoices")
    assert obey(now=now) == ["failed"]
    shop.faults.clear()

    (found,) = [one for one in reconciled(now) if one[0] == "command"]
    assert found == ("command", "collect given up", "payment_provider_unavailable")
    difference = ProviderDifference.objects.get(kind="command")
    repairing.repair(difference_id=difference.pk, now=now)
    obey(now=now)

    assert Invoice.objects.get(pk=invoice.pk).status == "paid"
    with pytest.raises(NotFound):
        repairing.repair(difference_id=new_id(), now=now)


def test_a_provider_that_is_down_is_left_for_the_next_day(shop, control, now):  # noqa: F811
    control("faults", kind="error", times=50, path="/v1/events")

    assert reconciling.reconcile_all(now=now) == 0
