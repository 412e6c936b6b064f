"""The inbox: proven, kept once, handled in any order, tried again, replayed."""

import hashlib
import hmac
import json
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from billing.models import WebhookEvent
from billing.services import webhooks
from billing.tasks import handle_webhook, retry_webhooks
from billing.webhooks import LARGEST_BODY_BYTES
from config.errors import NotFound
from config.ids import new_id
from config.models import OutboxMessage
from tests.billing.conftest import SECRET, work
from tests.owner import owners_cursor

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def secret(settings: Any) -> None:
    settings.STRIPE_API_KEY = "sk_test_of_the_tests"
    settings.STRIPE_WEBHOOK_SECRET = SECRET


def event_body(kind: str = "product.created", **data: Any) -> bytes:
    found = {"object": {"id": "prod_1", "object": "product"} | data}
    event = {"id": f"evt_{new_id().hex}", "object": "event", "type": kind, "data": found}
    return json.dumps(event).encode()


def signature(body: bytes, *, secret: str = SECRET, age: int = 0) -> str:
    at = int(time.time()) - age
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
    return f"t={at},v1={mac.hexdigest()}"


def post(square: Any, body: bytes, header: str | None = None, **options: Any) -> Any:
    headers = {"Stripe-Signature": signature(body) if header is None else header}
    return square.post(
        "/webhooks/stripe", body, content_type="application/json", headers=headers, **options
    )


def test_a_proven_event_is_kept_and_promised_before_it_is_answered(square):
    body = event_body()

    answer = post(square, body)

    assert (answer.status_code, answer.json()) == (200, {"received": True, "duplicate": False})
    kept = WebhookEvent.objects.get()
    assert (kept.provider, kept.kind, kept.status) == ("stripe", "product.created", "received")
    assert kept.payload == json.loads(body)
    assert work() == 1


def test_an_unknown_kind_is_kept_as_ignored(square):
    post(square, event_body("radar.early_fraud_warning.created"))
    work()

    kept = WebhookEvent.objects.get()
    assert (kept.status, kept.attempts, kept.next_attempt_at) == ("ignored", 1, None)


def test_the_same_event_again_is_answered_200_and_kept_once(square):
    body = event_body()

    answers = [post(square, body).json()["duplicate"] for _ in range(3)]

    assert answers == [False, True, True]
    assert WebhookEvent.objects.count() == 1
    assert work() == 1


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        "t=1,v1=",
        "t=abc,v1=00",
        f"t={int(time.time())},v1={'0' * 64}",
        f"t={int(time.time())},v0={'0' * 64}",
    ],
    ids=["none", "nonsense", "empty", "no-time", "wrong-signature", "old-scheme"],
)
def test_an_unproven_event_is_refused_and_not_kept(square, header):
    answer = post(square, event_body(), header)

    assert (answer.status_code, answer.json()["code"]) == (400, "webhook_signature_invalid")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert not WebhookEvent.objects.exists()


def test_a_changed_body_another_secret_and_an_old_signature_are_refused(square):
    body = event_body()
    changed = post(square, body + b" ", signature(body))
    foreign = post(square, body, signature(body, secret="whsec_other"))
    stale = post(square, body, signature(body, age=301))

    assert [answer.status_code for answer in (changed, foreign, stale)] == [400, 400, 400]
    assert post(square, body, signature(body, age=290)).status_code == 200


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[]", b"null"])
def test_a_signed_body_that_is_no_event_is_refused(square, body):
    assert post(square, body).status_code == 400


def test_without_a_secret_nothing_is_believed(square, settings):
    settings.STRIPE_WEBHOOK_SECRET = ""
    body = event_body()

    assert post(square, body, signature(body, secret="")).status_code == 400


def test_an_oversized_body_is_refused_before_it_is_read(square):
    body = b"x" * (LARGEST_BODY_BYTES + 1)

    answer = post(square, body)

    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")
    assert answer.json()["limit_bytes"] == LARGEST_BODY_BYTES


def test_only_posts_are_taken_and_only_on_the_square(square, api, globex):
    answer = square.get("/webhooks/stripe")

    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert answer.json()["code"] == "method_not_allowed"
    api(globex).post("/webhooks/stripe", {}, status=404)


def test_an_account_that_is_not_set_up_takes_no_webhooks(square, settings):
    settings.STRIPE_API_KEY = ""

    assert post(square, event_body()).json()["code"] == "payment_provider_not_configured"


def test_what_cannot_be_stored_is_not_answered_200(square):
    """The provider then tries again: an event is never lost between the two."""
    square.raise_request_exception = False
    with owners_cursor() as cursor:
        cursor.execute("ALTER TABLE billing_webhookevent RENAME TO away")
    with transaction.atomic():
        answer = post(square, event_body())
        transaction.set_rollback(True)
    with owners_cursor() as cursor:
        cursor.execute("ALTER TABLE away RENAME TO billing_webhookevent")

    assert answer.status_code == 500
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_settled_event_is_not_handled_again_unless_replayed(square, now):
    post(square, event_body())
    work()
    kept = WebhookEvent.objects.get()

    assert handle_webhook(event_id=str(kept.pk)) == "ignored"
    kept.refresh_from_db()
    assert kept.attempts == 1
    assert webhooks.replay(event_id=kept.pk, now=now).status == "received"
    assert work() == 1


def test_replaying_what_is_not_there_is_not_found(now):
    with pytest.raises(NotFound):
        webhooks.replay(event_id=new_id(), now=now)


def test_an_event_whose_message_was_lost_is_found_by_the_sweeper(square, now):
    post(square, event_body())
    OutboxMessage.objects.all().delete()
    assert retry_webhooks() == 0
    WebhookEvent.objects.update(next_attempt_at=now - timedelta(seconds=1))

    assert retry_webhooks() == 1
    assert work() == 1


def test_attempts_are_bounded_and_their_pauses_grow(now):
    event = WebhookEvent(
        provider="stripe", provider_event_id="evt_1", kind="x", payload={}, received_at=now
    )
    pauses = []
    for _ in range(WebhookEvent.MOST_ATTEMPTS):
        event.fail("away", now=now)
        pauses.append(event.next_attempt_at and (event.next_attempt_at - now).total_seconds())

    assert pauses[:3] == [15, 30, 60]
    assert pauses[-2:] == [15_360, None]
