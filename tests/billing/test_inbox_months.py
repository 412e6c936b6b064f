"""The inbox's months: an event comes in once whatever its month, old months go, what waits stays."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from billing.models import WebhookEvent, WebhookKey
from billing.providers.base import VerifiedEvent
from billing.services import inbox, webhooks
from config.ids import new_id

pytestmark = pytest.mark.django_db(transaction=True)
LAST, FIRST = (
    datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC),
    datetime(2026, 12, 1, tzinfo=UTC),
)
LONG_AGO = datetime(2024, 2, 29, 23, 59, tzinfo=UTC)


def event(name: str = "") -> VerifiedEvent:
    return VerifiedEvent("stripe", name or f"evt_{new_id().hex}", "product.created", "", {})


def part_of(provider_event_id: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tableoid::regclass::text FROM public.billing_webhookevent"
            " WHERE provider_event_id = %s",
            [provider_event_id],
        )
        return str(cursor.fetchone()[0]).removeprefix("public.")


def settled(name: str, at: datetime) -> WebhookEvent:
    assert inbox.keep(event(name), now=at)
    kept = WebhookEvent.objects.get(provider_event_id=name)
    assert webhooks.handle(event_id=kept.pk, now=at) == "ignored"
    return kept


def test_an_event_comes_in_once_on_both_sides_of_a_months_end(now: Any) -> None:
    once = event()

    kept = [inbox.keep(once, now=at) for at in (LAST, FIRST, LAST)]

    assert kept == [True, False, False]
    assert WebhookEvent.objects.filter(provider_event_id=once.id).count() == 1
    assert inbox.keep(VerifiedEvent("paypal", once.id, "x", "", {}), now=FIRST)


def test_the_database_itself_keeps_an_events_key_once(now: Any) -> None:
    facts = {"digest": inbox.digest_of("stripe", "evt_1"), "event_id": new_id()}
    WebhookKey.objects.create(**facts, received_at=LAST)

    with pytest.raises(IntegrityError), transaction.atomic():
        WebhookKey.objects.create(**facts, received_at=FIRST)


def test_an_old_month_goes_and_its_events_are_still_known(now: datetime) -> None:
    settled("evt_old", LONG_AGO)
    settled("evt_new", now)
    assert part_of("evt_old") == "billing_webhookevent_rest"

    made, dropped = inbox.keep_months(now=now)

    assert "billing_webhookevent_y2024m02" in made
    assert "billing_webhookevent_y2024m02" in dropped
    assert inbox.keep_months(now=now) == ([], [])
    names = WebhookEvent.objects.filter(provider_event_id__in=["evt_old", "evt_new"])
    assert [one.provider_event_id for one in names] == ["evt_new"]
    assert inbox.keep(event("evt_old"), now=now) is False


def test_a_month_in_which_an_event_waits_stays_until_it_is_handled(now: datetime) -> None:
    assert inbox.keep(event("evt_waits"), now=LONG_AGO)
    inbox.keep_months(now=now)
    assert part_of("evt_waits") == "billing_webhookevent_y2024m02"

    kept = WebhookEvent.objects.get(provider_event_id="evt_waits")
    assert webhooks.replay(event_id=kept.pk, now=now).status == "received"
    webhooks.handle(event_id=kept.pk, now=now + timedelta(seconds=1))

    assert inbox.keep_months(now=now)[1] == ["billing_webhookevent_y2024m02"]
    assert not WebhookEvent.objects.filter(provider_event_id="evt_waits").exists()
