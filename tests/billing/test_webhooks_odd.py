"""Webhooks that are proven and odd: refused for good or kept, never a fault that Stripe retries for days."""

import json
from typing import Any

import pytest

from billing.models import WebhookEvent
from billing.providers import events, paypal_objects
from tests.billing.conftest import SECRET, work
from tests.billing.test_webhooks import event_body, post, signature

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def secret(settings: Any) -> None:
    settings.STRIPE_API_KEY = "sk_test_of_the_tests"
    settings.STRIPE_WEBHOOK_SECRET = SECRET


def changed(**changes: Any) -> bytes:
    return json.dumps(json.loads(event_body()) | changes).encode()


@pytest.mark.parametrize(
    "body",
    [
        changed(id="e" * 1_000),
        changed(id=""),
        changed(id=7),
        changed(id=None),
        changed(id=["evt_1"]),
        changed(type=None),
        changed(data=None),
        changed(data=[]),
        changed(data={}),
        changed(data={"object": {"object": "subscription", "id": "s" * 1_000}}),
        changed(data={"object": {"object": "subscription", "id": None}}),
        changed(data={"object": {"object": "invoice", "subscription": "s" * 1_000}}),
        changed(data={"object": {"object": "invoice", "subscription": ["s"]}}),
        changed(created=float("nan")),
        changed(created=float("inf")),
        changed().replace(b'"object": "event"', b'"object": 1e999'),
        changed().replace(b'"object": "event"', b'"object": ' + b"9" * 5_000),
        changed().replace(b'"object": "event"', b'"object": ' + b"[" * 400 + b"]" * 400),
        changed().replace(b'"object": "event"', b'"object": ' + b"[" * 99_999 + b"]" * 99_999),
        b"[" * 99_999,
    ],
)
def test_a_signed_body_that_cannot_be_an_event_is_refused(square, body):
    answer = post(square, body)

    assert (answer.status_code, answer.json()["code"]) == (400, "webhook_signature_invalid")
    assert not WebhookEvent.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"data": {"object": None}},
        {"data": {"object": "a text"}},
        {"data": {"object": {"parent": "a text"}}},
        {"data": {"object": {"parent": {"subscription_details": [1]}}}},
        {"type": "k" * 1_000},
        {"created": 10**300},
    ],
)
def test_an_event_that_is_merely_odd_is_kept_as_ignored(square, changes):
    assert post(square, changed(**changes)).status_code == 200
    work()

    assert WebhookEvent.objects.get().status == "ignored"


def test_what_postgresql_does_not_store_is_mended(square):
    body = changed(
        id="evt_\x00\ud800", type="a\x00b", note={"k\x00": ["\x00", "\udfff", "ñ😀"], "n": 1.5}
    )

    answers = [post(square, body) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    kept = WebhookEvent.objects.get()
    assert (kept.provider_event_id, kept.kind) == ("evt_??", "a?b")
    assert kept.payload["note"] == {"k?": ["?", "?", "ñ😀"], "n": 1.5}


def test_an_expanded_subscription_is_named_by_its_id(square):
    post(square, changed(data={"object": {"object": "invoice", "subscription": {"id": "sub_1"}}}))

    assert WebhookEvent.objects.get().subscription_ref == "sub_1"


def test_a_signature_of_the_future_is_refused_beyond_the_tolerance(square):
    body = event_body()
    for ahead in (100_000, 310):
        assert post(square, body, signature(body, age=-ahead)).status_code == 400

    assert post(square, body, signature(body, age=-290)).status_code == 200


@pytest.mark.parametrize(
    ("changes", "about"),
    [
        ({}, "I-1"),
        ({"resource": None}, ""),
        ({"resource": {"id": None}}, ""),
        (
            {"event_type": "PAYMENT.SALE.COMPLETED", "resource": {"billing_agreement_id": "I-2"}},
            "I-2",
        ),
    ],
)
def test_what_a_paypal_event_is_about_is_read_with_care(changes, about):
    event = {"id": "WH-1", "event_type": "BILLING.SUBSCRIPTION.UPDATED", "resource": {"id": "I-1"}}

    assert paypal_objects.event(event | changes).subscription_ref == about


@pytest.mark.parametrize(
    "changes", [{"id": None}, {"id": "W" * 1_000}, {"event_type": 1}, {"resource": {"id": ["I-1"]}}]
)
def test_what_is_no_paypal_event_is_no_value(changes):
    event = {"id": "WH-1", "event_type": "BILLING.SUBSCRIPTION.UPDATED", "resource": {"id": "I-1"}}

    with pytest.raises(ValueError, match="not a"):
        paypal_objects.event(event | changes)


def test_nesting_is_bounded():
    def nested(depth: int) -> bytes:
        return b'{"a":' * depth + b"1" + b"}" * depth

    assert events.read(nested(events.DEEPEST))["a"]
    with pytest.raises(ValueError, match="too deep"):
        events.read(nested(events.DEEPEST + 1))
