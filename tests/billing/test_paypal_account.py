"""The SDK made safe: retries that end, tokens that are replaced once, nothing secret in the logs."""

import logging
from typing import Any

import pytest

from billing.providers import gateway
from billing.providers.base import ProviderDown, ProviderRefused
from tests.billing.conftest import PAYPAL_SECRET, order

pytestmark = pytest.mark.django_db


def account() -> Any:
    """The account behind the gateway."""
    found: Any = gateway("paypal")
    return found._account


def test_a_time_out_and_a_failure_are_tried_again_and_then_said(paypal_shop, monkeypatch):
    order(
        paypal_shop, "faults", kind="error", times=2, status=503, path="/v1/billing/subscriptions"
    )
    with pytest.raises(ProviderRefused) as missing:
        gateway("paypal").subscription("I-NOBODY")
    order(
        paypal_shop, "faults", kind="error", times=9, status=503, path="/v1/billing/subscriptions"
    )
    with pytest.raises(ProviderDown):
        gateway("paypal").subscription("I-NOBODY")

    assert missing.value.facts["reason"] == "RESOURCE_NOT_FOUND"


def test_wrong_credentials_are_refused_without_asking_for_ever(paypal_shop, settings):
    settings.PAYPAL_CLIENT_SECRET = "wrong"
    before = len(paypal_shop.requests)

    with pytest.raises(ProviderRefused):
        gateway("paypal").subscription("I-NOBODY")

    assert len(paypal_shop.requests) - before <= 2


def test_an_expired_token_is_replaced_once(paypal_shop):
    ours = account()
    ours.token_hash = {"token_type": "Bearer", "access_token": "stale", "expires_in": 9_999}

    assert len(gateway("paypal").known_prices([])) == 0
    assert ours.token_hash["access_token"] != "stale"


def test_no_secret_and_no_token_is_logged(paypal_shop, caplog):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ProviderRefused):
        gateway("paypal").subscription("I-NOBODY")

    token = account().token_hash["access_token"]
    assert PAYPAL_SECRET not in caplog.text
    assert token not in caplog.text
    assert "Authorization" not in caplog.text
