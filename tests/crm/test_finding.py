"""What `?search=` finds in orders and contacts, and what lists refuse to be asked."""

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Lower
from django.test.utils import CaptureQueriesContext

from apps.crm import filters
from apps.crm.models import Company, Contact, Order, people
from tenants.isolation import tenant_context
from tests.factories import (
    CompanyFactory,
    ContactFactory,
    ContactTagFactory,
    OrderFactory,
    TagFactory,
)

pytestmark = pytest.mark.django_db
CONTACTS, ORDERS = "/api/v1/contacts", "/api/v1/orders"


@pytest.fixture
def bought(acme) -> dict[str, str]:
    """Three orders by external id."""
    with tenant_context(acme):
        ada = ContactFactory(first_name="Ada", last_name="Byron", email="ada@engines.test")
        bob = ContactFactory(
            first_name="Bob", last_name="", email="bob@x.test",
            company=CompanyFactory(name="Initech"),
        )  # fmt: skip
        orders = [
            OrderFactory(contact=ada, external_id="A-100", amount_minor=500, quantity=1),
            OrderFactory(contact=bob, external_id="A-200", amount_minor=900, quantity=3),
            OrderFactory(contact=bob, external_id="B%1", amount_minor=700, currency="MXN"),
        ]
    return {str(order.pk): str(order.external_id) for order in orders}


@pytest.mark.parametrize("few", [1_000, 0])
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("search=A-", ["A-100", "A-200"]),
        ("search=A-200", ["A-200"]),
        ("search=-200", []),
        ("search=B%25", ["B%1"]),
        ("search=%25", []),
        ("search=BYRON ada", ["A-100"]),
        ("search=bob", ["A-200", "B%1"]),
        ("search=initech", ["A-200", "B%1"]),
        ("search=zzz", []),
        ("search=", ["A-100", "A-200", "B%1"]),
        ("amount__gte=500&currency=USD", ["A-100", "A-200"]),
        ("amount__gte=501&amount__lte=900&currency=USD", ["A-200"]),
        ("amount__lte=0&currency=USD", []),
        ("quantity=3", ["A-200"]),
        ("quantity__gte=2", ["A-200"]),
        ("quantity__lte=2", ["A-100", "B%1"]),
    ],
)
def test_orders_are_found_by(acme, api, bought, monkeypatch, query, found, few):
    monkeypatch.setattr(filters, "_FEW_CONTACTS", few)
    results = api(acme).get(f"{ORDERS}?{query}")["results"]
    assert sorted(bought[row["id"]] for row in results) == found


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("amount__gte=5", "currency"),
        ("amount__gte=5.5&currency=USD", "amount__gte"),
        ("amount__lte=-1&currency=USD", "amount__lte"),
        ("amount__lte=99999999999999999999&currency=USD", "amount__lte"),
        ("quantity=2147483648", "quantity"),
        ("quantity=many", "quantity"),
        ("amount=5", "amount"),
        ("search=" + "x" * 101, "search"),
        ("search=%00", "search"),
    ],
)
def test_orders_refuse_what_they_cannot_be_asked(acme, api, query, field):
    assert list(api(acme).get(f"{ORDERS}?{query}", status=400)["errors"]) == [field]


@pytest.mark.parametrize(
    "noun", ["tags", "imports", "members", "api-keys", "contacts/{id}/consents"]
)
def test_a_list_that_has_no_search_says_so(acme, api, noun):
    with tenant_context(acme):
        address = noun.format(id=ContactFactory().pk)
    refused = api(acme).get(f"/api/v1/{address}?search=zzz&limit=1", status=400)
    assert refused["errors"] == {"search": ["Unknown filter."]}


@pytest.mark.parametrize("few", [500, 0])
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("search=Initech", ["ada", "bob"]),
        ("search=ada initech", ["ada"]),
        ("search=INITECH norte", ["bob"]),
        ("search=cy initech", []),
        ("search=i", ["ada", "bob", "cy"]),
        ("tags=vip", ["ada"]),
        ("tag=vip", ["ada"]),
        ("tags=gold", []),
    ],
)
def test_contacts_are_found_by_company_and_by_tags(acme, api, monkeypatch, query, found, few):
    monkeypatch.setattr(people, "_FEW_COMPANIES", few)
    with tenant_context(acme):
        here, there = CompanyFactory(name="Initech"), CompanyFactory(name="Initech del Norte")
        ada = ContactFactory(first_name="ada", last_name="", email=None, company=here)
        ContactFactory(first_name="bob", last_name="", email=None, company=there)
        ContactFactory(first_name="cy", last_name="i", email=None)
        ContactTagFactory(contact=ada, tag=TagFactory(name="VIP"))
    results = api(acme).get(f"{CONTACTS}?{query}")["results"]
    assert sorted(row["first_name"] for row in results) == found


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(("address", "queries"), [(CONTACTS, 3), (ORDERS, 3)])
def test_a_search_asks_a_fixed_number_of_times(acme, api, rows, address, queries):
    with tenant_context(acme):
        for number in range(rows):
            company = CompanyFactory(name=f"Initech {number}")
            contact = ContactFactory(company=company)
            ContactTagFactory(contact=contact)
            OrderFactory(contact=contact)
    client = api(acme)

    with CaptureQueriesContext(connection) as asked:
        answer = client.get(f"{address}?search=initech ini")

    assert len(answer["results"]) == rows
    assert len([query for query in asked if "crm_" in query["sql"]]) == queries


def test_searches_are_answered_by_their_indexes(acme):
    """With few rows the planner reads the table; told not to, it finds the index of each question."""
    with tenant_context(acme), connection.cursor() as cursor:
        ContactFactory(company=CompanyFactory(name="Initech"))
        cursor.execute("SET LOCAL enable_seqscan = off")
        named = Company.objects.alias(lowered=Lower("name"))
        found: dict[str, Any] = {
            "company_by_part_of_name": named.filter(lowered__contains="initech"),
            "crm_contact_company_id": Contact.objects.search("initech"),
            "order_by_start_of_id": Order.objects.filter(external_id__startswith="A-1"),
            "order_by_amount": Order.objects.filter(currency="USD", amount_minor__gte=5),
        }
        plans = {name: rows.explain() for name, rows in found.items()}
    assert [name for name, plan in plans.items() if name not in plan] == []


def test_a_single_contact_is_added_or_changed_by_its_key(acme, api):
    client = api(acme)
    made = client.post(f"{CONTACTS}?key=email", {"email": "ada@x.test", "first_name": "Ada"})
    changed = client.post(
        f"{CONTACTS}?key=email", {"email": "ADA@x.test", "last_name": "B"}, status=200
    )
    assert (changed["id"], changed["first_name"], changed["last_name"]) == (made["id"], "Ada", "B")
    refused = client.post(f"{CONTACTS}?key=email", {"first_name": "Cy"}, status=400)
    assert list(refused["errors"]) == ["email"]
    refused = client.post(f"{CONTACTS}?key=phone", {"email": "cy@x.test"}, status=400)
    assert list(refused["errors"]) == ["key"]
    client.post(CONTACTS, {"email": "ada@x.test"}, status=409)
    with tenant_context(acme):
        assert Contact.objects.count() == 1


@pytest.mark.parametrize("cursor", ["%00", "!!", "cD0x!", "xyz", "eD0x", "cA%3D%3D", "%C3%B1"])
def test_a_cursor_that_is_not_spelled_as_ours_is_refused(acme, api, cursor):
    refused = api(acme).get(f"{CONTACTS}?cursor={cursor}", status=400)
    assert list(refused["errors"]) == ["cursor"]


def test_every_cursor_that_we_give_is_ours(acme, api):
    with tenant_context(acme):
        for day in (1, 1, 1, 2, 3):
            OrderFactory(ordered_on=date(2026, 1, day))
    client = api(acme)
    for ordering in ("-id", "id", "ordered_on", "-ordered_on"):
        seen: list[str] = []
        address = f"{ORDERS}?limit=1&cursor=&ordering={ordering}"
        while address:
            page = client.get(address)
            if page["previous"]:
                client.get(page["previous"], status=200)
            seen += [row["id"] for row in page["results"]]
            address = page["next"]
        assert len(set(seen)) == len(seen) == 5


@pytest.mark.parametrize("wanted", ["xml", "json", "csv"])
def test_a_format_is_no_filter(acme, api, wanted):
    refused = api(acme).get(f"{CONTACTS}?format={wanted}", status=400)
    assert refused["errors"] == {"format": ["Unknown filter."]}
    assert api(acme).get(f"/api/v1/usage?format={wanted}")["meters"]
