"""What the lists of crm can be narrowed by, in which order, and at what cost."""

from base64 import b64encode
from datetime import UTC, date, datetime

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.crm.models import Contact
from tenants.isolation import tenant_context
from tests import factories
from tests.factories import (
    CompanyFactory,
    ConsentFactory,
    ContactFactory,
    ContactTagFactory,
    OrderFactory,
    TagFactory,
)

pytestmark = pytest.mark.django_db
CONTACTS = "/api/v1/contacts"


@pytest.fixture
def people(acme) -> dict[str, str]:
    """Three contacts by first name; `Old` is archived."""
    with tenant_context(acme):
        company = CompanyFactory(name="Motores")
        ada = ContactFactory(
            first_name="Ada",
            last_name="Byron",
            email="ada@engines.test",
            phone="+525512345678",
            external_id="00001",
            company=company,
        )
        bob = ContactFactory(first_name="Bob", last_name="O'Hara_100%", email="bob@example.test")
        old = ContactFactory(
            first_name="Old", email=None, archived_at=datetime(2026, 1, 1, tzinfo=UTC)
        )
        ContactTagFactory(contact=ada, tag=TagFactory(name="VIP"))
    return {str(row.pk): row.first_name for row in (ada, bob, old)} | {"company": str(company.pk)}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Ada", "Bob"]),
        ("archived=true", ["Old"]),
        ("archived=false", ["Ada", "Bob"]),
        ("email=ADA@engines.test", ["Ada"]),
        ("external_id=00001", ["Ada"]),
        ("phone=%2B525512345678", ["Ada"]),
        ("company=motores", ["Ada"]),
        ("company={company}", ["Ada"]),
        ("tag=vip", ["Ada"]),
        ("search=BYR", ["Ada"]),
        ("search=engines ada", ["Ada"]),
        ("search=o'hara_100%25", ["Bob"]),
        ("search=a_a", []),
        ("search=%25", ["Bob"]),
        ("created_at__gte=2020-01-01T00:00:00Z", ["Ada", "Bob"]),
        ("created_at__lt=2020-01-01T00:00:00Z", []),
    ],
)
def test_contacts_are_found_by(acme, api, people, query, found):
    address = f"{CONTACTS}?{query.format(company=people['company'])}"
    results = api(acme).get(address)["results"]
    assert sorted(people[row["id"]] for row in results) == found


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("emial=x", "emial"),
        ("search=%00", "search"),
        ("email=%00", "email"),
        ("owner_id=5", "owner_id"),
        ("created_at__gte=yesterday", "created_at__gte"),
        ("ordering=email", "ordering"),
        ("limit=0", "limit"),
        ("search=" + "x" * 101, "search"),
    ],
)
def test_a_filter_that_is_none_is_refused_by_name(acme, api, query, field):
    assert list(api(acme).get(f"{CONTACTS}?{query}", status=400)["errors"]) == [field]


def test_contacts_come_newest_first_or_as_asked_page_by_page(acme, api):
    with tenant_context(acme):
        ids = [str(ContactFactory().pk) for _ in range(5)]
    client = api(acme)

    def all_pages(query: str) -> list[str]:
        found: list[str] = []
        address = f"{CONTACTS}?limit=2&{query}"
        while address:
            page = client.get(address)
            found += [row["id"] for row in page["results"]]
            address = page["next"]
        return found

    assert all_pages("") == ids[::-1]
    assert all_pages("ordering=created_at") == ids
    assert all_pages("ordering=-updated_at") == ids[::-1]


def test_paging_ends_where_thousands_of_rows_share_the_value_that_orders_them(acme, api, now):
    with tenant_context(acme):
        Contact.objects.bulk_create(
            [Contact(first_name=str(number), created_at=now) for number in range(1_250)]
        )
    client = api(acme)
    found: list[str] = []
    address = f"{CONTACTS}?limit=200&ordering=created_at"
    while address and len(found) < 2_000:
        page = client.get(address)
        found += [row["id"] for row in page["results"]]
        address = page["next"]
    assert (len(found), len(set(found))) == (1_250, 1_250)


@pytest.mark.parametrize("position", ["p=xyz", "p=%00", "o=-1"])
@pytest.mark.parametrize("ordering", ["-id", "created_at"])
def test_a_cursor_that_is_none_is_refused(acme, api, position, ordering):
    cursor = b64encode(position.encode()).decode()
    refused = api(acme).get(CONTACTS, {"cursor": cursor, "ordering": ordering}, status=400)
    assert list(refused["errors"]) == ["cursor"]


def test_orders_are_found_by_contact_and_day(acme, api):
    with tenant_context(acme):
        first = OrderFactory(ordered_on=date(2026, 1, 1), external_id="A")
        second = OrderFactory(ordered_on=date(2026, 2, 1), currency="MXN")
    client = api(acme)

    def found(query: str) -> list[str]:
        return [row["id"] for row in client.get(f"/api/v1/orders?{query}")["results"]]

    assert found(f"contact={first.contact_id}") == [str(first.pk)]
    assert found("ordered_on__gte=2026-01-15") == [str(second.pk)]
    assert found("currency=MXN") == [str(second.pk)]
    assert found("external_id=A") == [str(first.pk)]
    assert found("ordering=ordered_on") == [str(first.pk), str(second.pk)]


def test_companies_and_tags_are_found_by_name(acme, api):
    with tenant_context(acme):
        CompanyFactory(name="Motores del Norte")
        CompanyFactory(name="Panadería")
        TagFactory(name="VIP")
    client = api(acme)

    def names(address: str) -> list[str]:
        return [row["name"] for row in client.get(f"/api/v1/{address}")["results"]]

    assert names("companies?search=norte motor") == ["Motores del Norte"]
    assert names("companies?name=PANADERÍA") == ["Panadería"]
    assert names("companies?ordering=-name") == ["Panadería", "Motores del Norte"]
    assert names("tags?name=vip") == ["VIP"]


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(
    ("noun", "maker", "queries"),
    [
        ("contacts", "ContactFactory", 1),
        ("companies", "CompanyFactory", 1),
        ("orders", "OrderFactory", 1),
        ("tags", "TagFactory", 1),
        ("imports", "ImportFactory", 1),
    ],
)
def test_a_list_asks_its_tables_a_fixed_number_of_times(acme, api, rows, noun, maker, queries):
    from django.test.utils import CaptureQueriesContext

    with tenant_context(acme):
        for _ in range(rows):
            row = getattr(factories, maker)()
            if noun == "contacts":
                ContactTagFactory(contact=row)
                Contact.objects.filter(pk=row.pk).update(company=CompanyFactory())
    client = api(acme)

    with CaptureQueriesContext(
        connection,
    ) as asked:
        answer = client.get(f"/api/v1/{noun}")

    assert len(answer["results"]) == rows
    assert len([query for query in asked if "crm_" in query["sql"]]) == queries


@pytest.mark.parametrize("rows", [1, 3])
def test_consents_ask_a_fixed_number_of_times(acme, api, rows):
    from django.test.utils import CaptureQueriesContext

    with tenant_context(acme):
        contact = ContactFactory()
        for _ in range(rows):
            ConsentFactory(contact=contact)
    client = api(acme)

    with CaptureQueriesContext(connection) as asked:
        answer = client.get(f"{CONTACTS}/{contact.pk}/consents")

    assert len(answer["results"]) == rows
    assert len([query for query in asked if "crm_" in query["sql"]]) == 2


def test_search_and_filters_are_answered_by_their_indexes(acme):
    """With few rows the planner reads the table; told not to, it finds the index of each question."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    with tenant_context(acme), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        plans = {
            "contact_by_part_of_name": Contact.objects.all().search("byron").explain(),
            "contact_once_by_email": Contact.objects.filter(email="a@b.test").explain(),
            "contact_by_phone": Contact.objects.filter(phone="+525512345678").explain(),
            "contact_by_creation": Contact.objects.filter(created_at__gte=now).explain(),
            "contact_by_change": Contact.objects.order_by("updated_at", "id")[:5].explain(),
        }
    assert [name for name, plan in plans.items() if name not in plan] == []


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(needle=st.text(alphabet="aB%_\\'\"ñ*", min_size=1, max_size=6))
def test_search_takes_every_character_for_itself(acme, needle):
    with tenant_context(acme):
        contact = ContactFactory(first_name=f"x{needle}y", email=None, last_name="")
        other = ContactFactory(first_name="xqy", email=None, last_name="")
        found = set(Contact.objects.all().search(needle).values_list("pk", flat=True))
        assert contact.pk in found
        assert other.pk not in found
        contact.delete()
        other.delete()
