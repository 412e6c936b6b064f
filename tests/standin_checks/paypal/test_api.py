"""Tokens, request ids, refusals."""

from collections.abc import Callable
from typing import Any

import paypalrestsdk
import pytest
import requests
from paypalrestsdk.exceptions import ResourceInvalid, ResourceNotFound

from tests.standin_checks.paypal.buyer import (
    CONTEXT,
    SUBSCRIPTIONS,
    shown,
)
from tests.standins.paypal import PayPalStandin

Control = Callable[..., Any]


def test_the_same_request_id_makes_one_subscription(
    api: paypalrestsdk.Api, plan: Any, standin: PayPalStandin
) -> None:
    wish = {"plan_id": plan("10"), "application_context": CONTEXT}
    headers = {"PayPal-Request-Id": "once"}

    first = api.post(SUBSCRIPTIONS, wish, headers)
    again = api.post(SUBSCRIPTIONS, wish, headers)
    with pytest.raises(ResourceInvalid):
        api.post(SUBSCRIPTIONS, {**wish, "custom_id": "other"}, headers)

    assert first == again
    assert standin.store.count("subscription") == 1


def test_refusals_have_paypals_shape(api: paypalrestsdk.Api, standin: PayPalStandin) -> None:
    with pytest.raises(ResourceNotFound) as absent:
        shown(api, "I-NOSUCHTHING0")
    missing = api.post(SUBSCRIPTIONS, {"custom_id": "x"})
    nobody = requests.get(f"{standin.url}/{SUBSCRIPTIONS}/I-X", timeout=5)
    wrong = requests.post(f"{standin.url}/v1/oauth2/token", auth=("plaza", ""), timeout=5)

    assert "RESOURCE_NOT_FOUND" in absent.value.content
    assert missing["error"]["name"] == "INVALID_REQUEST"
    assert (nobody.status_code, nobody.json()["name"]) == (401, "AUTHENTICATION_FAILURE")
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")


def test_colones_are_not_taken(api: paypalrestsdk.Api) -> None:
    product = api.post("v1/catalogs/products", {"name": "Plaza", "type": "SERVICE"})["id"]
    price = {"fixed_price": {"value": "10", "currency_code": "CRC"}}
    cycle = {
        "frequency": {"interval_unit": "MONTH"},
        "tenure_type": "REGULAR",
        "sequence": 1,
        "pricing_scheme": price,
    }

    answer = api.post(
        "v1/billing/plans",
        {
            "product_id": product,
            "name": "x",
            "billing_cycles": [cycle],
            "payment_preferences": {},
        },
    )

    assert answer["error"]["details"][0]["field"] == "/pricing_scheme/currency_code"
