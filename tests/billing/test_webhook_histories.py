"""Events come twice, late, out of order and while the provider is away: the end is the same."""

import itertools
import random
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from billing.models import ProviderPrice, Subscription, WebhookEvent
from billing.providers import gateway
from billing.services import webhooks
from quotas.entitlements import snapshot
from tests.billing.conftest import knock, pay, work

pytestmark = pytest.mark.django_db


def paid_events(api: Any, tenant: Any, arrivals: Any, plan: str = "growth") -> list[Any]:
    arrivals()
    pay(api(tenant).post("/api/v1/checkout", {"plan": plan})["url"])
    return list(arrivals())


def test_any_order_and_any_number_of_copies_end_the_same(shop, square, api, globex, arrivals, now):
    events = paid_events(api, globex, arrivals)
    ends = set()
    for seed, copies in itertools.product(range(4), (1, 2)):
        with transaction.atomic():
            shuffled = events * copies
            random.Random(seed).shuffle(shuffled)
            for event in shuffled:
                assert knock(square, event) == 200
                work()
            row = Subscription.objects.get(tenant=globex)
            plan = snapshot(globex.id, now=now).plan
            ends.add((row.plan, row.status, row.provider_subscription_id, row.period_ends_at, plan))
            failed = WebhookEvent.objects.filter(status="failed").count()
            transaction.set_rollback(True)
        assert failed == 0

    assert len(ends) == 1
    assert ends.pop()[0] == "growth"


def test_an_old_event_does_not_undo_a_newer_state(shop, square, api, globex, arrivals, control):
    """The event that says "active" comes after the one that says it is over: the provider is asked."""
    events = paid_events(api, globex, arrivals)
    subscription_id = shop.account.find("subscription")[0]["id"]
    gateway("stripe").cancel_at_period_end(subscription_id=subscription_id)
    control("clock", advance_seconds=40 * 86_400)
    for event in [*arrivals(), *events]:
        knock(square, event)
    work()

    row = Subscription.objects.get(tenant=globex)
    assert (row.plan, row.status) == ("free", "cancelled")


def test_a_failure_is_kept_tried_again_later_and_then_done(
    shop, square, api, globex, arrivals, control, now
):
    events = paid_events(api, globex, arrivals)
    control("faults", kind="error", times=200, path="/v1/subscriptions")
    for event in events:
        knock(square, event)
    work()
    failed = WebhookEvent.objects.filter(status="failed")
    assert {event.error for event in failed} == {"payment_provider_unavailable"}
    assert {event.attempts for event in failed} == {1}
    assert Subscription.objects.get(tenant=globex).plan == "starter"
    assert webhooks.retry_due(now=now) == 0

    shop.faults.clear()
    assert webhooks.retry_due(now=now + timedelta(seconds=60)) == failed.count() > 0
    assert webhooks.retry_due(now=now + timedelta(seconds=61)) == 0
    work()

    assert Subscription.objects.get(tenant=globex).plan == "growth"
    assert not WebhookEvent.objects.filter(status="failed").exists()


def test_a_price_that_nobody_knows_fails_loudly_and_is_repaired_by_a_replay(
    shop, square, api, globex, arrivals, now
):
    events = paid_events(api, globex, arrivals)
    known = list(ProviderPrice.objects.all())
    ProviderPrice.objects.all().delete()
    for event in events:
        knock(square, event)
    work()
    failed = WebhookEvent.objects.filter(status="failed")
    assert all(event.error.startswith("UnknownPrice: stripe price_") for event in failed)
    event = failed[0]

    ProviderPrice.objects.bulk_create(known)
    webhooks.replay(event_id=event.pk, now=now)
    work()

    event.refresh_from_db()
    assert (event.status, event.error, event.tenant_id) == ("done", "", globex.id)
    assert Subscription.objects.get(tenant=globex).plan == "growth"
