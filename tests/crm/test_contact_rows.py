"""The hot endpoints answer, to the byte, what the ordinary serializer would."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.db.models import Count, Sum
from django.test.utils import CaptureQueriesContext
from rest_framework.renderers import JSONRenderer

from apps.crm.models import Contact, Order
from apps.crm.serializers.people import ContactDetailOut, ContactOut
from apps.crm.services import contact_rows
from apps.crm.services.contact_rows import ContactRows
from tenants.isolation import tenant_context
from tests.factories import (
    CompanyFactory,
    ContactFactory,
    ContactTagFactory,
    OrderFactory,
    TagFactory,
)
from tests.owner import owners_cursor

CONTACTS = "/api/v1/contacts"
_MOMENTS = (
    datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    datetime(2026, 1, 2, 3, 4, 5, 120_000, tzinfo=UTC),
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
)
_TEXTS = (
    "Ñandú",
    "漢字 🎉",
    'quote " back \\ slash / tab',
    "\u2028 line \u2029 ends",
    "\x7f\x80\x9f\u200b",
    "\t\b\f\n\r\x01\x1f",
    "<script>&amp;'</script>",
    " spaces ",
    "x" * 200,
)
_FIELDS: tuple[dict[str, Any], ...] = (
    {},
    {"a": None, "b": True, "c": False},
    {"big": 2**70, "small": -(2**63), "float": 1e22, "tiny": 1e-7, "whole": 1.0, "exact": 0.1},
    {"ñ": ["é", {"deep": [[], {}]}], "": "\u2028\x01\x7f"},
    {"z": 1, "aa": 2, "b": 3},
)


def odd_rows() -> list[Contact]:
    """Contacts of every oddity that the table can hold."""
    company = CompanyFactory(name='Motores "Ñ" \u2028')
    tags = [
        TagFactory(name=name) for name in ("VIP", "alfa", "Ñu", "zeta, {x}", 'say "hi"', "NULL")
    ]
    rows: list[Any] = []
    for number, text in enumerate(_TEXTS):
        row = ContactFactory(
            first_name=text,
            last_name="" if number % 2 else text,
            email=None if number % 3 == 0 else f"odd-{number}@example.test",
            external_id=text if number % 2 else None,
            phone="+525512345678" if number % 4 == 0 else None,
            company=company if number % 2 else None,
            fields=_FIELDS[number % len(_FIELDS)],
            owner_id=UUID(int=number + 1) if number % 2 else None,
        )
        moment = _MOMENTS[number % len(_MOMENTS)]
        Contact.objects.filter(pk=row.pk).update(created_at=moment, updated_at=moment)
        for tag in tags[: number % (len(tags) + 1)]:
            ContactTagFactory(contact=row, tag=tag)
        rows.append(row)
    for currency, amount in (("USD", 2**62), ("USD", 2**62 - 1), ("MXN", 1)):
        OrderFactory(contact=rows[0], currency=currency, amount_minor=amount)
    return rows


def ordinary(contact_id: UUID) -> bytes:
    """The contact by model, serializer and renderer."""
    return JSONRenderer().render(ContactOut(Contact.objects.for_reading().get(pk=contact_id)).data)


def ordinary_detail(contact_id: UUID) -> bytes:
    sums = Order.objects.filter(contact_id=contact_id).values("currency").order_by("currency")
    rows = list(sums.annotate(amount=Sum("amount_minor"), orders=Count("pk")))
    totals = [{"amount": int(row["amount"]), "currency": row["currency"]} for row in rows]
    orders = (sum(row["orders"] for row in rows), totals)
    contact = Contact.objects.for_reading().get(pk=contact_id)
    return JSONRenderer().render(ContactDetailOut(contact, context={"orders": orders}).data)


@pytest.mark.django_db
def test_odd_rows_are_answered_as_the_serializer_would(acme, api):
    with tenant_context(acme):
        rows = odd_rows()
        wanted = {str(row.pk): ordinary(row.pk) for row in rows}
        details = {str(row.pk): ordinary_detail(row.pk) for row in rows}
    client = api(acme)

    for pk, detail in details.items():
        client.get(f"{CONTACTS}/{pk}")
        assert client.last.content == detail
    client.get(f"{CONTACTS}?limit=200")
    newest_first = sorted(wanted, reverse=True)
    body = b'{"next":null,"previous":null,"results":['
    assert client.last.content == body + b",".join(wanted[pk] for pk in newest_first) + b"]}"
    client.get(f"{CONTACTS}?limit=200&archived=false")
    assert client.last.content == body + b",".join(wanted[pk] for pk in newest_first) + b"]}"


@pytest.mark.django_db
@pytest.mark.parametrize("ordering", ["-id", "id", "-created_at", "created_at", "-updated_at"])
def test_pages_of_the_rows_are_those_of_the_queryset(acme, ordering):
    names = (ordering, "-id") if "at" in ordering else (ordering,)
    with tenant_context(acme):
        odd_rows()
        middle = Contact.objects.order_by(*names)[4]
        position = {f"{ordering.lstrip('-')}__{'lt' if ordering[0] == '-' else 'gt'}": ""}
        position = dict.fromkeys(position, str(getattr(middle, ordering.lstrip("-"))))
        queryset = Contact.objects.order_by(*names).filter(**position)
        rows = ContactRows().order_by(*names).filter(**position)

        for start, stop in ((0, 3), (1, 4), (0, 200)):
            wanted = [str(pk) for pk in queryset.values_list("pk", flat=True)[start:stop]]
            assert [row.id for row in rows[start:stop]] == wanted


@pytest.mark.django_db
def test_what_is_made_changed_and_archived_is_answered_as_the_serializer_would(acme, api):
    client = api(acme)
    bodies = [
        {"email": "A@Example.test", "fields": {"f": 1e22, "none": None, "ñ": "\u2028"}},
        {"first_name": '"Ñ" 漢', "company": "Motores", "tags": ["b", "A", "b"]},
        {"external_id": "x", "company": None, "tags": []},
    ]
    for body in bodies:
        made = client.post(CONTACTS, body)
        answers = [client.last.content]
        client.patch(f"{CONTACTS}/{made['id']}", {"last_name": "Byron"})
        answers.append(client.last.content)
        client.post(f"{CONTACTS}/{made['id']}/archive", status=200)
        with tenant_context(acme):
            assert client.last.content == ordinary(UUID(made["id"]))
            first = json.loads(answers[0])
            now = json.loads(ordinary(UUID(made["id"])))
        changed = {"last_name", "updated_at", "archived_at"}
        assert {k: v for k, v in first.items() if k not in changed} == {
            k: v for k, v in now.items() if k not in changed
        }


@pytest.mark.django_db
def test_an_indented_spelling_is_still_had(acme, api):
    with tenant_context(acme):
        row = ContactFactory(fields={"ñ": 1e22})
        wanted = json.dumps(json.loads(ordinary_detail(row.pk)), indent=2, ensure_ascii=False)
    client = api(acme)

    client.get(f"{CONTACTS}/{row.pk}", accept="application/json; indent=2")

    assert client.last.content.decode() == wanted


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "statements"),
    [(CONTACTS, 1), (f"{CONTACTS}?ordering=created_at", 1), (f"{CONTACTS}?archived=false", 2)],
)
def test_a_list_takes_so_many_statements(acme, api, address, statements):
    with tenant_context(acme):
        odd_rows()
    client = api(acme)
    with CaptureQueriesContext(connection) as asked:
        client.get(address)
    assert len([query for query in asked if "crm_" in query["sql"]]) == statements


@pytest.mark.django_db(transaction=True)
def test_a_contact_is_made_and_counted_in_one_statement(acme, api):
    client = api(acme)
    with CaptureQueriesContext(connection) as asked:
        client.post(CONTACTS, {"email": "one@example.test", "first_name": "Ada"})

    words = [query["sql"] for query in asked if "crm_" in query["sql"] or "consume" in query["sql"]]
    assert len(words) == 1
    assert not [query for query in asked if query["sql"] in {"BEGIN", "COMMIT"}]


@pytest.mark.django_db(transaction=True)
def test_a_taken_key_and_a_used_up_plan_leave_nothing_behind(acme, api, allow):
    client = api(acme)
    first = client.post(CONTACTS, {"email": "one@example.test"})

    refusal = client.post(CONTACTS, {"email": "ONE@example.test"}, status=409)
    assert (refusal["code"], refusal["id"]) == ("contact_exists", first["id"])
    allow(acme, 1)
    refusal = client.post(CONTACTS, {"email": "two@example.test"}, status=402)
    assert (refusal["code"], refusal["used"], refusal["asked"]) == ("quota_exceeded", 1, 1)
    allow(acme, 2)
    client.post(CONTACTS, {"email": "two@example.test"})

    with tenant_context(acme):
        assert Contact.objects.count() == 2
    meters = client.get("/api/v1/usage")["meters"]
    assert [each["used"] for each in meters if each["meter"] == "contacts"] == [2]


@pytest.mark.django_db(transaction=True)
def test_a_plan_that_is_kept_outlives_a_migration_a_rollback_and_a_change_of_tenant(acme, globex):
    with tenant_context(acme):
        row = ContactFactory()
        assert contact_rows.get(row.pk).first_name == "Ada"
    with owners_cursor(acme) as cursor:
        cursor.execute("ALTER TABLE crm_contact ALTER external_id TYPE varchar(300)")
    with tenant_context(globex):
        assert ContactRows()[0:5] == []
    with tenant_context(acme):
        assert [each.id for each in ContactRows()[0:5]] == [str(row.pk)]
        with transaction.atomic():
            assert contact_rows.get(row.pk).id == str(row.pk)
            transaction.set_rollback(True)
        # psycopg forgets what is prepared at a rollback.
        assert contact_rows.get(row.pk).id == str(row.pk)
    with owners_cursor(acme) as cursor:
        cursor.execute("ALTER TABLE crm_contact ALTER external_id TYPE varchar(200)")
