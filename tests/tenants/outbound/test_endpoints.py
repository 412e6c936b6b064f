"""Webhook endpoints over the API: the secret is shown once, and strangers and lower roles see nothing."""

import pytest

from tenants.models import WebhookEndpoint
from tenants.outbound.events import known_events
from tests import factories
from tests.tenants.outbound.conftest import EVENT

pytestmark = pytest.mark.django_db
PATH = "/api/v1/webhook-endpoints"
WISH = {"url": "https://hooks.example.com/plaza", "events": [EVENT]}


def test_the_secret_is_in_the_first_answer_and_in_no_other_and_sealed_at_rest(acme, api):
    made = api(acme).post(PATH, WISH)
    secret = made.pop("secret")

    assert secret.startswith("whsec_")
    assert api(acme).get(f"{PATH}/{made['id']}") == made
    assert api(acme).get(PATH)["results"] == [made]
    row = WebhookEndpoint.objects.get()
    assert secret.encode() not in bytes(row.sealed_secret)
    assert secret not in str(api(acme).patch(f"{PATH}/{made['id']}", {"description": "Ours"}))


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"url": "http://10.0.0.1/"}, "url"),
        ({"url": "https://localhost/"}, "url"),
        ({"url": "https://u:p@example.com/"}, "url"),
        ({"url": ""}, "url"),
        ({"url": 7}, "url"),
        ({"events": []}, "events"),
        ({"events": ["contact.adored"]}, "events"),
        ({"secret": "whsec_mine"}, "secret"),
        ({"tenant": "x"}, "tenant"),
    ],
)
def test_a_wrong_wish_is_refused_by_field_when_made_and_when_changed(acme, api, wish, field):
    endpoint = factories.WebhookEndpointFactory(tenant=acme)
    assert [*api(acme).post(PATH, WISH | wish, status=400)["errors"]] == [field]
    assert [*api(acme).patch(f"{PATH}/{endpoint.pk}", wish, status=400)["errors"]] == [field]
    assert WebhookEndpoint.objects.get().url == endpoint.url


def test_a_tenant_has_ten_endpoints_and_no_more(acme, api):
    for _ in range(9):
        factories.WebhookEndpointFactory(tenant=acme)
    api(acme).post(PATH, WISH)
    refused = api(acme).post(PATH, WISH, status=409)
    assert (refused["code"], refused["limit"]) == ("too_many_webhook_endpoints", 10)


@pytest.mark.parametrize("role", ["billing", "editor", "member", "read_only"])
def test_only_owners_and_admins_see_endpoints_and_deliveries(acme, api, role):
    endpoint = factories.WebhookEndpointFactory(tenant=acme)
    client = api(acme, role=role)
    assert client.get(PATH, status=403)["code"] == "permission_denied"
    assert client.get("/api/v1/webhook-deliveries", status=403)["code"] == "permission_denied"
    assert client.delete(f"{PATH}/{endpoint.pk}", status=403)["code"] == "permission_denied"


def test_a_removed_endpoint_takes_its_deliveries_along(acme, api):
    endpoint = factories.WebhookEndpointFactory(tenant=acme)
    factories.WebhookDeliveryFactory(endpoint=endpoint)
    api(acme).delete(f"{PATH}/{endpoint.pk}")
    assert api(acme).get("/api/v1/webhook-deliveries")["results"] == []


def test_deliveries_are_filtered_by_endpoint_event_and_status(acme, api):
    one, other = (factories.WebhookEndpointFactory(tenant=acme) for _ in range(2))
    wanted = factories.WebhookDeliveryFactory(endpoint=one)
    factories.WebhookDeliveryFactory(endpoint=one, status="delivered", next_attempt_at=None)
    factories.WebhookDeliveryFactory(endpoint=other)
    factories.WebhookDeliveryFactory(endpoint=one, event="usage.forecast")
    found = api(acme).get(
        f"/api/v1/webhook-deliveries?endpoint={one.pk}&event={EVENT}&status=pending"
    )
    assert [row["id"] for row in found["results"]] == [str(wanted.pk)]
    assert api(acme).get("/api/v1/webhook-deliveries?state=x", status=400)["errors"] == {
        "state": ["Unknown filter."]
    }


def test_the_events_of_every_package_are_known():
    assert [*known_events()] == [
        "segment.entered",
        "segment.left",
        "spend_cap.reached",
        "usage.forecast",
        "usage.limit_reached",
        EVENT,
    ]
