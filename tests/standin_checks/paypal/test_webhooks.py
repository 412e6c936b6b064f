"""Webhooks: signed with a certificate, verified, rotated, sent again."""

import json
from collections.abc import Callable
from typing import Any

import paypalrestsdk
import requests
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from tests.standin_checks.paypal.buyer import (
    WEBHOOK_ID,
    arrived,
    upper_headers,
)
from tests.standin_checks.receiver import Receiver
from tests.standins.paypal import PayPalStandin
from tests.standins.paypal.certificates import SIGNER

Control = Callable[..., Any]


def test_webhooks_are_signed_by_a_certificate_of_the_standins_authority(
    api: paypalrestsdk.Api, plan: Any, standin: PayPalStandin, receiver: Receiver
) -> None:
    plan("10")
    arrival = arrived(standin, receiver)[0]
    headers = upper_headers(arrival)

    leaf = x509.load_pem_x509_certificate(
        requests.get(headers["PAYPAL-CERT-URL"], timeout=5).content
    )
    root = x509.load_pem_x509_certificate(requests.get(f"{standin.url}/ca.pem", timeout=5).content)
    verifier = PolicyBuilder().store(Store([root])).build_server_verifier(x509.DNSName(SIGNER))

    assert verifier.verify(leaf, [])[-1] == root
    assert leaf.subject.rfc4514_string().startswith(f"CN={SIGNER}")
    assert arrival.headers["Host"] == f"plaza.localhost:{receiver.port}"


def test_paypals_own_verification_agrees_and_sees_tampering(
    api: paypalrestsdk.Api, plan: Any, standin: PayPalStandin, receiver: Receiver
) -> None:
    plan("10")
    arrival = arrived(standin, receiver)[0]
    headers = upper_headers(arrival)
    event = json.loads(arrival.body)
    claim = {
        "auth_algo": headers["PAYPAL-AUTH-ALGO"],
        "cert_url": headers["PAYPAL-CERT-URL"],
        "transmission_id": headers["PAYPAL-TRANSMISSION-ID"],
        "transmission_sig": headers["PAYPAL-TRANSMISSION-SIG"],
        "transmission_time": headers["PAYPAL-TRANSMISSION-TIME"],
        "webhook_id": WEBHOOK_ID,
        "webhook_event": event,
    }

    def verdict(**changed: Any) -> str:
        path = "v1/notifications/verify-webhook-signature"
        return str(api.post(path, {**claim, **changed})["verification_status"])

    assert verdict() == "SUCCESS"
    assert verdict(webhook_event={**event, "summary": "other"}) == "FAILURE"
    assert verdict(webhook_id="OTHER") == "FAILURE"
    assert verdict(transmission_sig="AAAA") == "FAILURE"
    assert verdict(cert_url="http://127.0.0.1:9/cert") == "FAILURE"


def test_a_new_certificate_signs_on_while_the_old_one_stays_readable(
    api: paypalrestsdk.Api, plan: Any, standin: PayPalStandin, receiver: Receiver, control: Control
) -> None:
    plan("10")
    arrived(standin, receiver)
    control("certificates/rotate")
    plan("20")
    arrivals = arrived(standin, receiver)

    first, last = (upper_headers(one)["PAYPAL-CERT-URL"] for one in (arrivals[0], arrivals[-1]))
    assert first != last
    assert [requests.get(url, timeout=5).status_code for url in (first, last)] == [200, 200]


def test_webhooks_are_managed_and_events_listed_and_sent_again(
    api: paypalrestsdk.Api, plan: Any, standin: PayPalStandin, receiver: Receiver
) -> None:
    own = api.post(
        "v1/notifications/webhooks",
        {
            "url": f"http://127.0.0.1:{receiver.port}/own",
            "event_types": [{"name": "BILLING.PLAN.CREATED"}],
        },
    )
    plan("10")
    found = api.get("v1/notifications/webhooks-events?event_type=BILLING.PLAN.CREATED")["events"]
    api.post(
        f"v1/notifications/webhooks-events/{found[0]['id']}/resend", {"webhook_ids": [own["id"]]}
    )
    arrivals = [one for one in arrived(standin, receiver) if one.path == "/own"]
    api.delete(f"v1/notifications/webhooks/{own['id']}")

    assert [one.body for one in arrivals] == [arrivals[0].body] * 2
    assert len(api.get("v1/notifications/webhooks")["webhooks"]) == 1
