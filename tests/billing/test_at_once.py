"""The same thing asked for many times at once: it happens once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from billing import signup
from billing.models import Subscription, WebhookEvent
from billing.services import webhooks
from config.errors import DomainError
from config.models import OutboxMessage
from config.needs import Meter
from quotas import ledger
from tenants.models import Person, Tenant
from tests.billing.conftest import knock, pay
from tests.billing.test_signup import tables_of, wish
from tests.billing.test_webhooks import event_body, post

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 6


def at_once(work: Callable[[int], Any], *, times: int = AT_ONCE) -> list[Any]:
    """What each of `times` threads got: the answer, or the code of the refusal."""
    start = Barrier(times)

    def run(number: int) -> Any:
        try:
            start.wait(timeout=10)
            return work(number)
        except DomainError as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(run, range(times)))


def test_one_slug_goes_to_one_of_many(now):
    def try_it(number: int) -> str:
        application = signup.Application(**wish(email=f"owner{number}@records.test"))
        return str(signup.reserve(application=application, now=now).slug)

    answers = at_once(try_it)

    assert sorted(answers) == ["records", *["slug_taken"] * (AT_ONCE - 1)]
    assert (Tenant.objects.count(), Person.objects.count(), Subscription.objects.count()) == (
        1,
    ) * 3


def test_the_same_sign_up_many_times_makes_one_whole_tenant(now):
    def try_it(_: int) -> str:
        return str(signup.sign_up(**wish(), now=now).status)

    answers = at_once(try_it)

    assert "active" in answers
    # Whoever comes when the first is through is told that its name is taken, by now.
    assert set(answers) <= {"active", "slug_taken"}
    tenant = Tenant.objects.get()
    assert (tenant.status, Person.objects.count()) == ("active", 1)
    assert ledger.remaining(tenant_id=tenant.id, meter=Meter.SEATS, now=now) == 4


def test_the_same_form_sent_many_times_at_once_reserves_once_and_all_go_on_with_it(now):
    application = signup.Application(**wish())

    answers = at_once(lambda _: signup.reserve(application=application, now=now).pk)

    assert answers == [Tenant.objects.get().pk] * AT_ONCE
    assert (Person.objects.count(), Subscription.objects.count()) == (1, 1)


def test_many_with_one_address_and_other_passwords_make_one_account(now):
    def try_it(number: int) -> str:
        other = signup.Application(**wish(slug=f"s{number}", password=f"market-square-{number}"))
        return str(signup.reserve(application=other, now=now).status)

    assert sorted(at_once(try_it)) == [*["email_taken"] * (AT_ONCE - 1), "provisioning"]
    assert Tenant.objects.count() == 1


def test_many_finish_one_sign_up(now):
    tenant = signup.reserve(application=signup.Application(**wish()), now=now)

    answers = at_once(lambda _: signup.finish(tenant_id=tenant.id).status, times=3)

    assert answers == ["active"] * 3
    assert tables_of(tenant) > 3


@pytest.fixture
def secret(settings: Any) -> None:
    settings.STRIPE_API_KEY = "sk_test_of_the_tests"
    settings.STRIPE_WEBHOOK_SECRET = "whsec_of_the_tests"


def test_one_event_that_comes_many_times_at_once_is_kept_once(square, secret):
    body = event_body()

    answers = at_once(lambda _: post(square, body).json()["duplicate"])

    assert sorted(answers) == [False, *[True] * (AT_ONCE - 1)]
    assert WebhookEvent.objects.count() == 1


def test_many_workers_on_one_event_handle_it_once(square, secret, now):
    post(square, event_body())
    event = WebhookEvent.objects.get()

    answers = at_once(lambda _: webhooks.handle(event_id=event.pk, now=now))

    event.refresh_from_db()
    assert set(answers) == {"ignored"}
    assert event.attempts == 1


def test_many_workers_on_the_events_of_one_purchase_end_in_one_state(
    shop, square, api, globex, arrivals, now
):
    arrivals()
    pay(api(globex).post("/api/v1/checkout", {"plan": "growth"})["url"])
    for arrival in arrivals():
        assert knock(square, arrival) == 200
    OutboxMessage.objects.all().delete()
    events = list(WebhookEvent.objects.values_list("pk", flat=True)) * 2

    answers = at_once(lambda n: webhooks.handle(event_id=events[n], now=now), times=len(events))

    assert set(answers) == {"done", "ignored"}
    row = Subscription.objects.get(tenant=globex)
    assert (row.plan, row.status) == ("growth", "active")
    assert set(WebhookEvent.objects.values_list("attempts", flat=True)) == {1}


def test_many_checkouts_at_once_make_one_customer(shop, api, globex):
    clients = [api(globex) for _ in range(AT_ONCE)]

    answers = at_once(lambda n: clients[n].post("/api/v1/checkout", {"plan": "growth"})["id"])

    assert len(set(answers)) == AT_ONCE
    assert len(shop.account.find("customer")) == 1
