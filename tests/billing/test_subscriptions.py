"""The life of a subscription: changes, ends, overdue payments, trials."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from billing.models import Subscription, WebhookEvent
from billing.services import subscriptions
from billing.services.closing import close_due
from billing.services.subscriptions import expire_trials, sync_from_provider
from billing.tasks import expire_trials as expire_trials_task
from config.needs import Meter
from quotas import ledger
from quotas.entitlements import snapshot
from quotas.refusals import QuotaExceeded
from tenants.models import Tenant
from tests.billing.conftest import ask, pay

pytestmark = pytest.mark.django_db
DAY = 86_400


@pytest.fixture
def growth(shop, api, globex, settle) -> Subscription:
    """globex, paying for growth by the month."""
    pay(api(globex).post("/api/v1/checkout", {"plan": "growth"})["url"])
    settle()
    return Subscription.objects.get(tenant=globex)


def change(api: Any, tenant: Any, plan: str, status: int = 200) -> Any:
    return api(tenant).post("/api/v1/subscription/change", {"plan": plan}, status=status)


def test_a_change_waits_for_the_providers_word(growth, api, globex, settle, now):
    asked = change(api, globex, "scale")

    assert (asked["plan"], asked["pending_plan"], asked["consent_url"]) == ("growth", "scale", None)
    assert snapshot(globex.id, now=now).plan == "growth"
    settle()
    shown = api(globex).get("/api/v1/subscription")
    assert (shown["plan"], shown["pending_plan"]) == ("scale", None)
    assert snapshot(globex.id, now=now).limit(Meter.SEATS) == 100


def test_the_provider_prorates_nothing_of_its_own(growth, shop, api, globex, settle):
    change(api, globex, "scale")
    settle()

    assert shop.account.find("invoiceitem") == []
    assert [invoice["total"] for invoice in shop.account.find("invoice")] == [9_900]


def test_changing_to_the_present_plan_changes_nothing(growth, shop, api, globex):
    asked = [request["path"] for request in shop.requests]

    shown = change(api, globex, "growth")

    assert (shown["plan"], shown["pending_plan"]) == ("growth", None)
    assert [request["path"] for request in shop.requests] == asked


def test_a_downgrade_below_what_is_in_use_is_allowed_and_then_refuses_more(
    growth, api, globex, settle, now
):
    seats = {"tenant_id": globex.id, "meter": Meter.SEATS, "now": now}
    ledger.consume(**seats, quantity=8, key="eight")

    asked = change(api, globex, "starter")
    settle()
    row = Subscription.objects.get(tenant=globex)
    assert (asked["pending_plan"], row.plan, row.pending_plan) == ("starter", "growth", "starter")
    assert row.billed_until is not None
    assert close_due(now=row.billed_until - timedelta(seconds=1)) == 0
    assert close_due(now=row.billed_until) == 1
    settle()

    row.refresh_from_db()
    assert (row.plan, row.pending_plan) == ("starter", "")
    with pytest.raises(QuotaExceeded) as refusal:
        ledger.consume(**seats, quantity=1, key="ninth")
    assert refusal.value.facts["upgrade_to"] == "growth"


def test_free_ends_a_paid_subscription_with_its_period(growth, api, globex, settle, control, now):
    asked = change(api, globex, "free")
    settle()
    shown = api(globex).get("/api/v1/subscription")

    assert asked["pending_plan"] == "free"
    assert (shown["plan"], shown["cancels_at_period_end"]) == ("growth", True)
    control("clock", advance_seconds=32 * DAY)
    settle()
    row = Subscription.objects.get(tenant=globex)
    assert (row.plan, row.status, row.pending_plan) == ("free", "cancelled", "")
    assert snapshot(globex.id, now=now).limit(Meter.CONTACTS) == 500


def test_an_end_that_is_called_off_is_no_wish_any_more(growth, api, globex, settle):
    change(api, globex, "free")
    settle()

    change(api, globex, "growth")
    settle()

    row = Subscription.objects.get(tenant=globex)
    assert (row.plan, row.cancels_at_period_end, row.pending_plan) == ("growth", False, "")


def test_who_left_may_buy_again_as_the_same_customer(growth, shop, api, globex, settle, control):
    change(api, globex, "free")
    control("clock", advance_seconds=32 * DAY)
    settle()

    pay(api(globex).post("/api/v1/checkout", {"plan": "scale"})["url"])
    settle()

    row = Subscription.objects.get(tenant=globex)
    assert (row.plan, row.status) == ("scale", "active")
    assert row.provider_customer_id == growth.provider_customer_id
    assert row.provider_subscription_id != growth.provider_subscription_id


def test_without_payment_a_paid_plan_asks_for_a_checkout(api, globex):
    refused = change(api, globex, "growth", status=409)

    assert (refused["code"], refused["plan"]) == ("payment_required", "growth")
    assert refused["checkout"] == "/api/v1/checkout"


def test_without_payment_free_is_given_at_once(api, globex, now):
    assert change(api, globex, "free")["plan"] == "free"
    assert snapshot(globex.id, now=now).plan == "free"
    assert expire_trials(now=now + timedelta(days=15)) == 0


def test_of_two_subscriptions_the_newer_live_one_counts_whatever_comes_last(
    shop, api, globex, settle, control, now, caplog
):
    urls = [api(globex).post("/api/v1/checkout", {"plan": p})["url"] for p in ("growth", "scale")]
    for url in urls:
        pay(url)
        control("clock", advance_seconds=10)
    settle()
    older = min(shop.account.find("subscription"), key=lambda found: found["created"])

    sync_from_provider(provider="stripe", subscription_id=older["id"], now=now)

    assert Subscription.objects.get(tenant=globex).plan == "scale"
    assert "subscription.doubled" in caplog.text


def test_a_trial_that_nobody_paid_falls_back_to_free(globex, now):
    ends_at = Subscription.objects.get(tenant=globex).trial_ends_at
    assert ends_at is not None

    assert expire_trials(now=ends_at - timedelta(seconds=1)) == 0
    assert expire_trials(now=ends_at) == 1
    assert expire_trials(now=ends_at) == 0

    row = Subscription.objects.get(tenant=globex)
    assert (row.plan, row.status) == ("free", "expired")
    assert snapshot(globex.id, now=now).plan == "free"


def test_the_demo_keeps_its_plans(globex, now):
    Tenant.objects.filter(pk=globex.pk).update(is_demo=True)

    assert expire_trials(now=now + timedelta(days=400)) == 0


def test_who_paid_during_the_trial_is_not_expired(growth, now):
    assert expire_trials(now=now + timedelta(days=400)) == 0
    assert expire_trials_task() == 0


def test_starting_twice_gives_one_trial(globex, now):
    again = subscriptions.start(tenant=globex, plan="scale", now=now + timedelta(days=9))

    assert again.plan == "starter"
    assert Subscription.objects.filter(tenant=globex).count() == 1


def test_a_subscription_that_is_nobodys_is_ignored(shop, square, settle):
    customer = ask(shop, "customers", email="x@y.test")["id"]
    wish = {"customer": customer, "items[0][price]": shop.account.find("price")[0]["id"]}
    ask(shop, "subscriptions", **wish, trial_period_days=7)
    settle()

    found = WebhookEvent.objects.filter(kind="customer.subscription.created").get()
    assert (found.status, found.tenant_id) == ("ignored", None)


@pytest.mark.parametrize(
    "facts",
    [
        {"plan": "growth", "status": "cancelled"},
        {"plan": "growth", "status": "past_due", "grace_ends_at": None},
        {"plan": "growth", "status": "active", "grace_ends_at": datetime(2026, 1, 1, tzinfo=UTC)},
        {"plan": "growth", "status": "trialing", "trial_ends_at": None},
        {"provider": "", "provider_subscription_id": "sub_1"},
        {"period_starts_at": datetime(2026, 1, 1, tzinfo=UTC), "period_ends_at": None},
    ],
)
def test_the_database_itself_refuses_states_that_cannot_be(globex, facts):
    with pytest.raises(IntegrityError), transaction.atomic():
        Subscription.objects.filter(tenant=globex).update(**facts)
