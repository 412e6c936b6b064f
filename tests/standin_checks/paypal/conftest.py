"""A PayPal stand-in that checks every request and answer, and paypalrestsdk to speak to it."""

from collections.abc import Callable, Iterator
from typing import Any

import paypalrestsdk
import pytest
import requests

from tests.standin_checks.paypal.buyer import WEBHOOK_ID, day
from tests.standin_checks.receiver import Receiver
from tests.standins.paypal import PayPalStandin

Control = Callable[..., Any]


@pytest.fixture
def standin(receiver: Receiver) -> Iterator[PayPalStandin]:
    with PayPalStandin(
        validate=True,
        retry_seconds=0.02,
        webhook_url=f"http://plaza.localhost:{receiver.port}/webhooks/paypal",
        webhook_id=WEBHOOK_ID,
    ) as running:
        yield running
        assert running.violations == []


@pytest.fixture
def api(standin: PayPalStandin) -> paypalrestsdk.Api:
    return paypalrestsdk.Api(
        mode="sandbox", endpoint=standin.url, client_id="plaza", client_secret="s3cret"
    )


@pytest.fixture
def plan(api: paypalrestsdk.Api) -> Callable[..., str]:
    """`plan("10", trial_days=7, threshold=1)`: the id of a new monthly plan of one product."""
    product = api.post("v1/catalogs/products", {"name": "Plaza", "type": "SERVICE"})["id"]

    def made(price: str, *, trial_days: int = 0, threshold: int = 0, **more: Any) -> str:
        cycles = []
        if trial_days:
            cycles.append(
                {
                    "frequency": {"interval_unit": "DAY", "interval_count": trial_days},
                    "tenure_type": "TRIAL",
                    "sequence": 1,
                    "total_cycles": 1,
                }
            )
        cycles.append(
            {
                "frequency": {"interval_unit": "MONTH"},
                "tenure_type": "REGULAR",
                "sequence": len(cycles) + 1,
                "total_cycles": 0,
                "pricing_scheme": {"fixed_price": {"value": price, "currency_code": "USD"}},
            }
        )
        wish = {
            "product_id": product,
            "name": f"Plan at {price}",
            "billing_cycles": cycles,
            "payment_preferences": {"payment_failure_threshold": threshold},
            "quantity_supported": True,
            **more,
        }
        return str(api.post("v1/billing/plans", wish)["id"])

    return made


@pytest.fixture
def control(standin: PayPalStandin) -> Control:
    def ordered(order: str, /, **asked: Any) -> Any:
        answer = requests.post(f"{standin.url}/_standin/{order}", json=asked, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return ordered


@pytest.fixture
def january(control: Control) -> int:
    control("clock", now=day(1, 31), stopped=True)
    return day(1, 31)
