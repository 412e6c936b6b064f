"""From an event to the receiver's door: signed, once, again, and in the end no more."""

import json
import threading
import time
from datetime import timedelta
from ipaddress import ip_address

import pytest
from django.db import transaction

from config.models import OutboxMessage
from tenants.isolation import tenant_context
from tenants.mails import posting as mail_posting
from tenants.models import Mail, WebhookDelivery, WebhookEndpoint
from tenants.outbound import deliveries, emit, posting
from tenants.outbound.addresses import read_url
from tenants.outbound.deliveries import MOST_ATTEMPTS, deliver, redeliver, retry_due
from tenants.outbound.signing import signature
from tests import factories
from tests.client import member_of
from tests.stack import free_port
from tests.tenants.name_server import NameServer
from tests.tenants.outbound.conftest import EVENT, NOON
from tests.tenants.outbound.sink import verified

pytestmark = pytest.mark.django_db


@pytest.fixture
def registered(api, acme, sink):
    """The endpoint as the API answered it, with its secret."""
    return api(acme).post("/api/v1/webhook-endpoints", {"url": sink.url, "events": [EVENT]})


def test_the_signature_is_that_of_the_specification():
    """The example of standardwebhooks.com's own libraries."""
    assert (
        signature(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
            timestamp=1_614_265_330,
            body=b'{"test": 2432232314}',
        )
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


def test_an_event_arrives_signed_with_its_id_and_is_not_sent_twice(acme, registered, sink, emitted):
    (delivery,) = emitted(acme, percent=80)

    assert deliver(delivery_id=delivery.pk, now=NOON) == "delivered"
    assert deliver(delivery_id=delivery.pk, now=NOON) == ""

    ((path, headers, body),) = sink.arrivals
    assert path == "/hooks"
    assert headers["webhook-id"] == str(delivery.event_id)
    assert headers["webhook-timestamp"] == str(int(NOON.timestamp()))
    assert verified(registered["secret"], headers, body)
    assert not verified(registered["secret"], headers, body + b" ")
    assert json.loads(body) == {
        "type": EVENT,
        "timestamp": "2026-11-21T12:00:00Z",
        "data": {"percent": 80},
    }


def test_an_event_reaches_only_who_listens_and_only_the_tenants_own(acme, globex, sink, emitted):
    for tenant in (acme, globex):
        factories.WebhookEndpointFactory(tenant=tenant, url=sink.url, events=[EVENT])
    factories.WebhookEndpointFactory(tenant=acme, url=sink.url, events=["usage.forecast"])

    found = emitted(acme)

    assert [(row.tenant_id, row.endpoint.events) for row in found] == [(acme.pk, [EVENT])]


def test_an_event_is_promised_from_a_tenants_own_transaction_and_lost_with_it(acme):
    with tenant_context(acme), transaction.atomic():
        emit(acme.pk, EVENT, {"percent": 80}, now=NOON)
        transaction.set_rollback(True)
    assert not OutboxMessage.objects.filter(task="tenants.fan_out_event").exists()
    with tenant_context(acme), transaction.atomic():
        emit(acme.pk, EVENT, {"percent": 80}, now=NOON)
    assert OutboxMessage.objects.filter(task="tenants.fan_out_event").count() == 1


def test_an_event_that_nobody_declared_cannot_be_emitted(acme):
    with pytest.raises(KeyError):
        emit(acme.pk, "contact.adored", {}, now=NOON)


def test_after_a_rotation_both_secrets_verify_for_a_day_and_then_the_new_one(
    api, acme, registered, sink, emitted, monkeypatch
):
    former = registered["secret"]
    renewed = api(acme).post(f"/api/v1/webhook-endpoints/{registered['id']}/rotate", status=200)
    WebhookEndpoint.objects.update(former_secret_until=NOON + timedelta(hours=24))
    seen = []
    for at in (NOON, NOON + timedelta(hours=24)):
        (delivery,) = emitted(acme)
        deliver(delivery_id=delivery.pk, now=max(at, NOON))
        _path, headers, body = sink.arrivals[-1]
        seen.append((verified(former, headers, body), verified(renewed["secret"], headers, body)))
    assert seen == [(True, True), (False, True)]


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 404, 429, 500, 503])
def test_any_other_answer_is_a_failure_and_a_redirect_is_not_followed(
    acme, registered, sink, emitted, status
):
    sink.status, sink.headers = status, {"Location": f"http://127.0.0.1:{sink.port}/elsewhere"}
    (delivery,) = emitted(acme)

    assert deliver(delivery_id=delivery.pk, now=NOON) == "pending"

    delivery.refresh_from_db()
    assert [path for path, _, _ in sink.arrivals] == ["/hooks"]
    assert (delivery.attempts, delivery.last_status) == (1, status)
    assert timedelta(seconds=4) < delivery.next_attempt_at - NOON < timedelta(seconds=6)


def test_what_fails_is_tried_ten_times_in_three_days_then_the_endpoint_is_off_and_owners_hear(
    acme, registered, sink, emitted
):
    for role in ("owner", "admin", "member"):
        member_of(acme, role)
    sink.status = 500
    (delivery,) = emitted(acme)
    now, moments = NOON, []
    while delivery.status == "pending":
        moments.append(now)
        deliver(delivery_id=delivery.pk, now=now)
        delivery.refresh_from_db()
        now = delivery.next_attempt_at or now

    assert len(sink.arrivals) == len(moments) == MOST_ATTEMPTS == 10
    assert timedelta(hours=68) < moments[-1] - NOON < timedelta(hours=84)
    assert len({headers["webhook-id"] for _, headers, _ in sink.arrivals}) == 1
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.is_enabled, endpoint.disabled_reason) == (False, "failing")
    told = Mail.objects.filter(kind="webhook_endpoint_disabled").values_list("person__email")
    assert sorted(told) == [("admin@acme.test",), ("owner@acme.test",)]
    assert emitted(acme) == []


def test_an_endpoint_where_others_arrive_stays_on(acme, registered, sink, emitted):
    sink.status = 500
    (bad,) = emitted(acme)
    WebhookDelivery.objects.filter(pk=bad.pk).update(attempts=MOST_ATTEMPTS - 1)
    sink.status = 200
    (good,) = emitted(acme)
    deliver(delivery_id=good.pk, now=NOON)
    sink.status = 500
    later_on = NOON + timedelta(days=3)
    assert deliver(delivery_id=bad.pk, now=later_on) == "failed"
    assert WebhookEndpoint.objects.get().is_enabled


def test_an_endpoint_that_is_gone_is_off_at_once_until_it_is_switched_on(
    api, acme, registered, sink, emitted
):
    sink.status = 410
    (delivery,) = emitted(acme)
    assert deliver(delivery_id=delivery.pk, now=NOON) == "failed"
    path = f"/api/v1/webhook-endpoints/{registered['id']}"
    assert api(acme).get(path)["disabled_reason"] == "gone"

    answer = api(acme).patch(path, {"is_enabled": True})

    assert (answer["is_enabled"], answer["disabled_reason"], answer["failing_since"]) == (
        True, "", None,
    )  # fmt: skip
    sink.status = 200
    api(acme).post(f"/api/v1/webhook-deliveries/{delivery.pk}/redeliver", status=202)
    delivery.refresh_from_db()
    assert deliver(delivery_id=delivery.pk, now=delivery.next_attempt_at) == "delivered"


def test_a_delivered_one_is_sent_again_by_hand_under_the_same_id(acme, registered, sink, emitted):
    (delivery,) = emitted(acme)
    deliver(delivery_id=delivery.pk, now=NOON)
    redeliver(tenant_id=acme.pk, delivery_id=delivery.pk, now=NOON)
    deliver(delivery_id=delivery.pk, now=NOON)
    assert [headers["webhook-id"] for _, headers, _ in sink.arrivals] == [
        str(delivery.event_id)
    ] * 2


def test_a_worker_killed_in_the_middle_leaves_it_to_the_sweeper(acme, registered, emitted):
    (delivery,) = emitted(acme)
    WebhookDelivery.objects.update(next_attempt_at=NOON + deliveries._LEASE, attempts=1)
    assert retry_due(now=NOON) == 0
    assert retry_due(now=NOON + deliveries._LEASE) == 1
    assert deliver(delivery_id=delivery.pk, now=NOON + deliveries._LEASE) == "delivered"


def test_the_name_is_looked_up_at_each_attempt_and_an_address_inside_is_not_asked(
    acme, sink, emitted, settings
):
    settings.PLAZA_WEBHOOKS_TO_LOOPBACK = False
    factories.WebhookEndpointFactory(
        tenant=acme, url=f"http://rebinding.example.com:{sink.port}/", events=[EVENT]
    )
    (delivery,) = emitted(acme)
    with NameServer() as name_server:
        settings.PLAZA_DNS_SERVERS = [name_server.address]
        name_server.addresses["rebinding.example.com"] = ["127.0.0.1"]
        assert deliver(delivery_id=delivery.pk, now=NOON) == "pending"
    delivery.refresh_from_db()
    assert (delivery.last_error, sink.arrivals) == ("not_public", [])


def test_the_connection_goes_to_the_address_that_was_looked_at_and_not_to_the_name(sink):
    """The name would lead nowhere: only the pinned address can have answered."""
    target = read_url(f"http://pinned.example.com:{sink.port}/x")
    assert posting.send(target, ip_address("127.0.0.1"), b"{}", {}) == 204
    assert sink.arrivals[0][1]["host"] == f"pinned.example.com:{sink.port}"


def test_a_receiver_that_drips_its_answer_is_cut_off(sink, monkeypatch):
    monkeypatch.setattr(posting, "SECONDS", 0.5)
    sink.drip = threading.Event()
    target = read_url(sink.url)
    begun = time.monotonic()
    with pytest.raises(posting.SendFailed, match="timeout"):
        posting.send(target, ip_address("127.0.0.1"), b"{}", {})
    assert time.monotonic() - begun < 3


def test_nobody_there_is_a_failure_by_name(acme, settings, emitted):
    settings.PLAZA_WEBHOOKS_TO_LOOPBACK = True
    url = f"http://127.0.0.1:{free_port()}/"
    factories.WebhookEndpointFactory(tenant=acme, url=url, events=[EVENT])
    (delivery,) = emitted(acme)
    deliver(delivery_id=delivery.pk, now=NOON)
    delivery.refresh_from_db()
    assert (delivery.last_status, delivery.last_error) == (None, "connection_refused")


def test_messages_of_a_month_ago_are_forgotten(acme):
    old = NOON - timedelta(days=31)
    endpoint = factories.WebhookEndpointFactory(tenant=acme)
    for at in (old, NOON):
        factories.WebhookDeliveryFactory(endpoint=endpoint, created_at=at)
        factories.MailFactory(tenant=acme, created_at=at)
    assert (deliveries.forget_old(now=NOON), mail_posting.forget_old(now=NOON)) == (1, 1)
