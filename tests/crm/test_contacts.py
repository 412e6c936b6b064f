import pytest

from apps.crm.models import Contact, Order
from tenants.isolation import tenant_context
from tests.factories import (
    CompanyFactory,
    ContactFactory,
    ContactTagFactory,
    OrderFactory,
    TagFactory,
)

pytestmark = pytest.mark.django_db
CONTACTS = "/api/v1/contacts"


def used(client) -> int:
    meters = client.get("/api/v1/usage")["meters"]
    return next(meter["used"] for meter in meters if meter["meter"] == "contacts")


def test_a_contact_is_answered_as_it_was_given(acme, api):
    client = api(acme)

    made = client.post(
        CONTACTS,
        {
            "email": "Ada.Byron@Example.test",
            "external_id": "c-1",
            "first_name": "Ada",
            "last_name": "Byron",
            "phone": "55 1234 5678",
            "phone_region": "MX",
            "company": "Analytical Engines",
            "tags": ["VIP", "maths"],
            "fields": {"points": 12},
        },
    )

    kept = {
        name: value
        for name, value in made.items()
        if name not in {"id", "created_at", "updated_at", "company_id"}
    }
    assert kept == {
        "email": "ada.byron@example.test",
        "external_id": "c-1",
        "first_name": "Ada",
        "last_name": "Byron",
        "phone": "+525512345678",
        "company": "Analytical Engines",
        "tags": ["VIP", "maths"],
        "fields": {"points": 12},
        "owner_id": None,
        "archived_at": None,
    }
    detail = client.get(f"{CONTACTS}/{made['id']}")
    assert detail == {**made, "orders_count": 0, "orders_total": []}


def test_a_contact_counts_until_it_is_deleted(acme, api):
    client = api(acme)
    made = client.post(CONTACTS, {"first_name": "Ada"})
    assert used(client) == 1

    client.post(f"{CONTACTS}/{made['id']}/archive", status=200)
    assert used(client) == 1
    client.delete(f"{CONTACTS}/{made['id']}")

    assert used(client) == 0
    assert client.delete(f"{CONTACTS}/{made['id']}", status=404)["code"] == "not_found"
    assert used(client) == 0


def test_a_second_contact_with_the_same_key_is_refused_and_costs_nothing(acme, api):
    client = api(acme)
    first = client.post(CONTACTS, {"email": "ada@example.test", "external_id": "1"})

    by_email = client.post(CONTACTS, {"email": "ADA@example.test"}, status=409)
    by_id = client.post(CONTACTS, {"external_id": "1"}, status=409)

    assert (by_email["code"], by_email["id"], by_email["field"]) == (
        "contact_exists", first["id"], "email",
    )  # fmt: skip
    assert (by_id["id"], by_id["field"]) == (first["id"], "external_id")
    assert used(client) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "non_field_errors"),
        ({"email": "not an address"}, "email"),
        ({"email": 5}, "email"),
        ({"first_name": "A" * 201}, "first_name"),
        ({"first_name": "nul\0"}, "first_name"),
        ({"email": "a@b.test", "phone": "12"}, "phone"),
        ({"email": "a@b.test", "phone": "5512345678"}, "phone"),
        ({"email": "a@b.test", "emial": "x"}, "emial"),
        ({"email": "a@b.test", "id": "x"}, "id"),
        ({"email": "a@b.test", "tags": "vip"}, "tags"),
        ({"email": "a@b.test", "tags": [""]}, "tags"),
        ({"email": "a@b.test", "fields": []}, "fields"),
        ({"email": "a@b.test", "fields": {"a": "\0"}}, "fields"),
        ({"email": "a@b.test", "fields": {"a": "x" * 20_000}}, "fields"),
        ({"email": "a@b.test", "company_id": "01900000-0000-7000-8000-000000000000"}, "company_id"),
        ({"email": "a@b.test", "company": "X", "company_id": None}, "company"),
    ],
)
def test_what_breaks_a_rule_is_refused_by_field(acme, api, body, field):
    client = api(acme)
    refused = client.post(CONTACTS, body, status=400)
    assert (refused["code"], list(refused["errors"])) == ("validation_failed", [field])
    assert used(client) == 0


def test_a_patch_changes_what_it_names_and_a_put_replaces_all(acme, api):
    client = api(acme)
    made = client.post(
        CONTACTS,
        {
            "email": "a@b.test",
            "first_name": "Ada",
            "company": "Engines",
            "tags": ["x"],
            "fields": {"a": 1, "b": 2},
        },
    )
    address = f"{CONTACTS}/{made['id']}"

    patched = client.patch(address, {"last_name": "Byron", "fields": {"a": None, "c": 3}})
    assert (patched["first_name"], patched["last_name"], patched["company"]) == (
        "Ada",
        "Byron",
        "Engines",
    )
    assert (patched["fields"], patched["tags"]) == ({"b": 2, "c": 3}, ["x"])
    assert patched["updated_at"] > made["updated_at"]

    replaced = client.put(address, {"email": "a@b.test", "fields": {"d": 4}})
    assert (replaced["first_name"], replaced["company"], replaced["tags"]) == ("", None, [])
    assert replaced["fields"] == {"d": 4}
    assert client.patch(address, {"email": None}, status=400)["code"] == "validation_failed"


def test_a_company_and_a_tag_are_known_by_name_whatever_the_case(acme, api):
    client = api(acme)
    first = client.post(CONTACTS, {"first_name": "A", "company": "Ñandú", "tags": ["Vip", "vip"]})
    second = client.post(CONTACTS, {"first_name": "B", "company": "ñandú", "tags": ["VIP"]})

    assert second["company_id"] == first["company_id"]
    assert (first["tags"], second["tags"]) == (["Vip"], ["Vip"])
    assert len(client.get("/api/v1/tags")["results"]) == 1


def test_a_contact_knows_how_much_it_bought(acme, api):
    with tenant_context(acme):
        contact = ContactFactory()
        OrderFactory(contact=contact, amount_minor=1_000)
        OrderFactory(contact=contact, amount_minor=500, occurrence=1)
        OrderFactory(contact=contact, amount_minor=700, currency="MXN")
        OrderFactory()

    detail = api(acme).get(f"{CONTACTS}/{contact.pk}")

    assert detail["orders_count"] == 3
    assert detail["orders_total"] == [
        {"amount": 700, "currency": "MXN"},
        {"amount": 1_500, "currency": "USD"},
    ]


def test_deleting_takes_what_belongs_to_the_contact_and_nothing_else(acme, api):
    with tenant_context(acme):
        gone, stays = ContactFactory(), ContactFactory()
        tag = TagFactory()
        for contact in (gone, stays):
            OrderFactory(contact=contact)
            ContactTagFactory(contact=contact, tag=tag)

    api(acme).delete(f"{CONTACTS}/{gone.pk}")

    with tenant_context(acme):
        assert list(Contact.objects.values_list("pk", flat=True)) == [stays.pk]
        assert Order.objects.count() == 1
        assert tag.contacts.count() == 1


def test_a_batch_upserts_by_email_and_refuses_items_alone(acme, api):
    client = api(acme)
    known = client.post(CONTACTS, {"email": "a@b.test", "first_name": "Ada"})

    answer = client.post(
        f"{CONTACTS}/batch?key=email",
        {
            "items": [
                {"email": "A@b.test", "last_name": "Byron"},
                {"email": "new@b.test"},
                {"first_name": "keyless"},
                {"email": "nobody"},
            ]
        },
        status=207,
    )["results"]

    assert [item["status"] for item in answer] == [200, 201, 400, 400]
    assert answer[0]["id"] == known["id"]
    assert answer[2]["error"]["errors"] == {"email": ["The key of an upsert is needed."]}
    assert client.get(f"{CONTACTS}/{known['id']}")["last_name"] == "Byron"
    assert used(client) == 2


def test_a_batch_without_a_key_adds_and_names_who_is_there(acme, api):
    client = api(acme)
    items = [{"email": "a@b.test"}, {"email": "a@b.test"}]
    answer = client.post(f"{CONTACTS}/batch", {"items": items}, status=207)["results"]
    assert [item["status"] for item in answer] == [201, 409]
    assert answer[1]["error"]["id"] == answer[0]["id"]
    assert client.post(f"{CONTACTS}/batch?key=phone", {"items": items}, status=400)["errors"]["key"]


def test_a_reader_may_not_write(acme, api):
    reader = api(acme, "read_only")
    with tenant_context(acme):
        company = CompanyFactory()
    assert reader.get(CONTACTS)["results"] == []
    assert reader.post(CONTACTS, {"first_name": "A"}, status=403)["code"] == "permission_denied"
    assert (
        reader.delete(f"/api/v1/companies/{company.pk}", status=403)["code"] == "permission_denied"
    )
