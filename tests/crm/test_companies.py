"""Companies, tags, orders and consent."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from apps.crm.models import Contact
from apps.crm.services import consents
from tenants.isolation import tenant_context
from tests.factories import (
    CompanyFactory,
    ContactFactory,
    ContactTagFactory,
    ImportFactory,
    OrderFactory,
    TagFactory,
)

pytestmark = pytest.mark.django_db


def test_a_company_is_made_changed_replaced_and_deleted(acme, api):
    client = api(acme)
    made = client.post(
        "/api/v1/companies", {"name": "Engines", "industry": "steam", "fields": {"a": 1}}
    )
    address = f"/api/v1/companies/{made['id']}"
    with tenant_context(acme):
        contact = ContactFactory(company_id=made["id"])

    assert client.patch(address, {"domain": "engines.test", "fields": {"b": 2}})["fields"] == {
        "a": 1,
        "b": 2,
    }
    replaced = client.put(address, {"name": "Motores"})
    assert (replaced["name"], replaced["industry"], replaced["domain"], replaced["fields"]) == (
        "Motores",
        "",
        "",
        {},
    )
    assert client.get(address)["name"] == "Motores"
    client.delete(address)
    client.get(address, status=404)
    with tenant_context(acme):
        assert Contact.objects.get(pk=contact.pk).company_id is None


def test_two_companies_of_one_name_are_refused(acme, api):
    client = api(acme)
    made = client.post("/api/v1/companies", {"name": "Engines", "external_id": "1"})
    other = client.post("/api/v1/companies", {"name": "Motores"})
    by_name = client.post("/api/v1/companies", {"name": "ENGINES"}, status=409)
    by_id = client.patch(f"/api/v1/companies/{other['id']}", {"external_id": "1"}, status=409)
    assert [(row["code"], row["id"]) for row in (by_name, by_id)] == [
        ("company_exists", made["id"])
    ] * 2
    assert client.post("/api/v1/companies", {"name": "  "}, status=400)["errors"]["name"]


def test_a_tag_is_made_renamed_and_taken_from_everybody(acme, api):
    client = api(acme)
    made = client.post("/api/v1/tags", {"name": "VIP"})
    assert client.post("/api/v1/tags", {"name": "vip"}, status=409)["id"] == made["id"]
    with tenant_context(acme):
        contact = ContactFactory()
        ContactTagFactory(contact=contact, tag_id=made["id"], tag=None)
        TagFactory(name="other")

    assert client.patch(f"/api/v1/tags/{made['id']}", {"name": "Vip"})["name"] == "Vip"
    client.patch(f"/api/v1/tags/{made['id']}", {"name": "OTHER"}, status=409)
    assert client.get(f"/api/v1/contacts/{contact.pk}")["tags"] == ["Vip"]
    client.delete(f"/api/v1/tags/{made['id']}")
    assert client.get(f"/api/v1/contacts/{contact.pk}")["tags"] == []


def test_equal_orders_of_a_day_are_distinct_and_external_ids_come_once(acme, api):
    client = api(acme)
    with tenant_context(acme):
        contact = str(ContactFactory().pk)
    body = {
        "contact": contact,
        "ordered_on": "2026-01-31",
        "quantity": 2,
        "amount": {"amount": 1_150, "currency": "MXN"},
    }
    first, second = client.post("/api/v1/orders", body), client.post("/api/v1/orders", body)
    named = client.post("/api/v1/orders", {**body, "external_id": "A1"})
    again = client.post("/api/v1/orders", {**body, "external_id": "A1"}, status=409)

    assert len({first["id"], second["id"], named["id"]}) == 3
    assert {name: first[name] for name in body} == body
    assert (again["code"], again["id"]) == ("order_exists", named["id"])
    client.delete(f"/api/v1/orders/{first['id']}")
    assert client.get(f"/api/v1/contacts/{contact}")["orders_count"] == 2


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"contact": "01900000-0000-7000-8000-000000000000"}, "contact"),
        ({"quantity": 0}, "quantity"),
        ({"amount": {"amount": -1, "currency": "USD"}}, "amount"),
        ({"amount": {"amount": 1, "currency": "XXX"}}, "amount"),
        ({"amount": 11.5}, "amount"),
        ({"ordered_on": "31/01/2026"}, "ordered_on"),
        ({"occurrence": 7}, "occurrence"),
    ],
)
def test_an_order_that_breaks_a_rule_is_refused(acme, api, change, field):
    with tenant_context(acme):
        contact = str(ContactFactory().pk)
    body = {
        "contact": contact,
        "ordered_on": "2026-01-31",
        "amount": {"amount": 1, "currency": "USD"},
    }
    refused = api(acme).post("/api/v1/orders", {**body, **change}, status=400)
    assert list(refused["errors"]) == [field]


def test_the_latest_word_on_consent_counts_and_every_word_is_kept(acme, api, now):
    client = api(acme)
    with tenant_context(acme):
        contact = ContactFactory()
        other = ContactFactory()
    address = f"/api/v1/contacts/{contact.pk}/consents"

    def say(status: str, **more) -> None:
        client.post(
            address,
            {
                "channel": "email",
                "purpose": "marketing",
                "status": status,
                "source": "form",
                **more,
            },
        )

    def granted() -> bool:
        with tenant_context(acme):
            return consents.is_granted(contact_id=contact.pk, channel="email", purpose="marketing")

    assert granted() is False
    say("granted", recorded_at=(now - timedelta(days=2)).isoformat())
    assert granted() is True
    say("withdrawn", recorded_at=(now - timedelta(days=1)).isoformat())
    say("granted", recorded_at=(now - timedelta(days=3)).isoformat())
    assert granted() is False
    say("granted", channel="sms")

    assert [row["status"] for row in client.get(address)["results"]] == [
        "granted", "withdrawn", "granted", "granted",
    ]  # fmt: skip
    current = client.get(f"{address}?current=true")["results"]
    assert [(row["channel"], row["status"]) for row in current] == [
        ("sms", "granted"), ("email", "withdrawn"),
    ]  # fmt: skip
    assert client.get(f"/api/v1/contacts/{other.pk}/consents")["results"] == []
    future = (now + timedelta(days=1)).isoformat()
    body = {"channel": "email", "purpose": "marketing", "status": "granted", "source": "x"}
    assert client.post(address, {**body, "recorded_at": future}, status=400)["errors"][
        "recorded_at"
    ]
    assert client.post(address, {**body, "channel": "smoke"}, status=400)["errors"]["channel"]
    nobody = "/api/v1/contacts/01900000-0000-7000-8000-000000000000/consents"
    assert client.post(nobody, body, status=404)["code"] == "not_found"
    assert client.get(nobody, status=404)["code"] == "not_found"


@pytest.mark.parametrize(
    "broken",
    [
        lambda: ContactFactory(email="Ada@x.test"),
        lambda: ContactFactory(email=""),
        lambda: ContactFactory(phone="5512345678"),
        lambda: ContactFactory(email=None, first_name="", last_name=""),
        lambda: OrderFactory(quantity=0),
        lambda: OrderFactory(currency="usd"),
        lambda: OrderFactory(amount_minor=-1),
        lambda: [OrderFactory(contact=contact) for contact in [ContactFactory()] * 2],
        lambda: [CompanyFactory(name=name) for name in ("Ñ", "ñ")],
        lambda: ImportFactory(status="completed"),
        lambda: ImportFactory(rows_total=1, rows_done=1, rows_failed=1),
    ],
)
def test_what_must_always_be_true_the_database_keeps(acme, broken):
    with tenant_context(acme), pytest.raises(IntegrityError), transaction.atomic():
        broken()
