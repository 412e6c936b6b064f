"""The checkers of shapes see what is wrong, and what we accept is official."""

import importlib
import inspect
import re
from typing import Any

import pytest

from tests.standins import openapi
from tests.standins.shapes import check
from tests.standins.stripe import modules
from tests.standins.stripe.objects import fresh

# Bodies whose parameters the SDK describes under another name than address and method give.
_NAMED = {
    ("POST", "/v1/subscriptions/<>/resume"): "SubscriptionResumeParams",
    ("POST", "/v1/invoices/<>/pay"): "InvoicePayParams",
    ("POST", "/v1/invoices/<>/finalize"): "InvoiceFinalizeInvoiceParams",
    ("POST", "/v1/invoices/create_preview"): "InvoiceCreatePreviewParams",
    ("DELETE", "/v1/subscriptions/<>"): "SubscriptionCancelParams",
    ("POST", "/v1/subscriptions"): "SubscriptionCreateParams",
    ("POST", "/v1/subscriptions/<>"): "SubscriptionUpdateParams",
    ("POST", "/v1/subscription_items"): "SubscriptionItemCreateParams",
    ("POST", "/v1/subscription_items/<>"): "SubscriptionItemUpdateParams",
    ("DELETE", "/v1/subscription_items/<>"): "SubscriptionItemDeleteParams",
    ("POST", "/v1/customers"): "CustomerCreateParams",
    ("POST", "/v1/customers/<>"): "CustomerUpdateParams",
    ("POST", "/v1/products"): "ProductCreateParams",
    ("POST", "/v1/products/<>"): "ProductUpdateParams",
    ("POST", "/v1/prices"): "PriceCreateParams",
    ("POST", "/v1/prices/<>"): "PriceUpdateParams",
    ("POST", "/v1/invoices"): "InvoiceCreateParams",
    ("POST", "/v1/invoices/<>"): "InvoiceUpdateParams",
    ("POST", "/v1/invoiceitems"): "InvoiceItemCreateParams",
    ("POST", "/v1/invoiceitems/<>"): "InvoiceItemUpdateParams",
    ("POST", "/v1/refunds"): "RefundCreateParams",
    ("POST", "/v1/webhook_endpoints"): "WebhookEndpointCreateParams",
    ("POST", "/v1/webhook_endpoints/<>"): "WebhookEndpointUpdateParams",
    ("POST", "/v1/checkout/sessions"): "checkout.SessionCreateParams",
    ("POST", "/v1/billing_portal/sessions"): "billing_portal.SessionCreateParams",
    ("POST", "/v1/billing_portal/configurations"): "billing_portal.ConfigurationCreateParams",
    ("POST", "/v1/billing/meters"): "billing.MeterCreateParams",
    ("POST", "/v1/billing/meter_events"): "billing.MeterEventCreateParams",
    ("POST", "/v1/billing/meter_event_adjustments"): "billing.MeterEventAdjustmentCreateParams",
    ("GET", "/v1/subscriptions"): "SubscriptionListParams",
    ("GET", "/v1/invoices"): "InvoiceListParams",
    ("GET", "/v1/prices"): "PriceListParams",
    ("GET", "/v1/events"): "EventListParams",
}


def _official(name: str) -> set[str]:
    package, _, cls = name.rpartition(".")
    module = importlib.import_module(".".join(filter(None, ("stripe.params", package))))
    return set(inspect.get_annotations(getattr(module, cls)))


@pytest.mark.parametrize(("address", "name"), list(_NAMED.items()), ids=str)
def test_every_parameter_that_we_take_is_stripes(address: tuple[str, str], name: str) -> None:
    method, path = address
    routes = [
        route
        for route in modules.routes()
        if (route.method, re.sub(r"<\w+>", "<>", route.path)) == (method, path)
    ]

    assert len(routes) == 1
    assert set(routes[0].accepts) - _official(name) == set()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"colour": "red"}, "has no such attribute"),
        ({"balance": "12"}, "is not"),
        ({"created": None}, "is not"),
        ({"tax_exempt": "sometimes"}, "is not"),
        ({"invoice_settings": {"footer": 7}}, "is not"),
        ({"discount": {"object": "discount"}}, "missing"),
    ],
)
def test_a_wrong_customer_is_seen(change: dict[str, Any], complaint: str) -> None:
    right = fresh("customer", created=1)

    wrong = check(right | change)

    assert check(right) == []
    assert any(complaint in line for line in wrong)


def test_a_missing_key_and_a_wrong_object_in_an_event_are_seen() -> None:
    customer = fresh("customer", created=1)
    del customer["email"]
    event = fresh("event", created=1, type="customer.created", data={"object": customer})

    assert check(event) == ["event.data.object.email: missing, though the official example has it"]


def test_a_wrong_paypal_answer_is_seen() -> None:
    path = "/v1/billing/plans/{id}"

    def wrong(body: dict[str, Any]) -> list[str]:
        return openapi.check_answer("billing_subscriptions_v1", "GET", path, 200, body)

    assert wrong({"id": "P-1", "status": "ACTIVE"}) == []
    assert "is not one of" in wrong({"id": "P-1", "status": "SLEEPING"})[0]
    assert wrong({"id": "P-1", "colour": "red"}) == ["$.colour: not described"]
    assert wrong({"billing_cycles": [{"sequence": 1}]})[0].endswith("is a required property")


def test_every_operation_that_the_paypal_standin_serves_is_described() -> None:
    from tests.standins.paypal import app

    for module in app._MODULES:
        for route in module.routes.known:
            assert openapi.operation(route.description, route.method, route.path)
