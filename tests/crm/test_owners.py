"""Whose a contact is: a member of the tenant and nobody else, asked for once."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.crm.models import Contact
from config.needs import Role
from tenants.isolation import tenant_context
from tenants.models import Member
from tests.client import member_of
from tests.factories import ContactFactory

pytestmark = pytest.mark.django_db
CONTACTS = "/api/v1/contacts"


@pytest.fixture
def ada(acme) -> str:
    return str(member_of(acme, "editor").person_id)


@pytest.fixture
def stranger(globex) -> str:
    """A member of another tenant."""
    return str(member_of(globex).person_id)


def asked_for_members(queries: CaptureQueriesContext) -> int:
    return sum('"tenants_member"."person_id" IN' in query["sql"] for query in queries)


def test_a_member_may_own_a_contact_and_it_may_be_given_on(acme, api, ada):
    client = api(acme)
    me = str(member_of(acme).person_id)

    made = client.post(CONTACTS, {"first_name": "Bob", "owner_id": ada})
    given = client.patch(f"{CONTACTS}/{made['id']}", {"owner_id": me})
    freed = client.put(f"{CONTACTS}/{made['id']}", {"first_name": "Bob"})

    assert (made["owner_id"], given["owner_id"], freed["owner_id"]) == (ada, me, None)


@pytest.mark.parametrize("whose", ["a stranger's", "nobody's", "a member's, not a person's"])
def test_nobody_else_may_by_any_way_of_writing(acme, api, ada, stranger, whose):
    client = api(acme)
    foreign = {
        "a stranger's": stranger,
        "nobody's": str(uuid4()),
        "a member's, not a person's": str(member_of(acme).pk),
    }[whose]
    made = client.post(CONTACTS, {"email": "bob@example.test", "owner_id": ada})
    wish = {"email": "bob@example.test", "owner_id": foreign}

    refusals = [
        client.post(CONTACTS, {"first_name": "Eve", "owner_id": foreign}, status=400),
        client.post(f"{CONTACTS}?key=email", wish, status=400),
        client.post(f"{CONTACTS}?key=email", {**wish, "email": "eve@x.test"}, status=400),
        client.patch(f"{CONTACTS}/{made['id']}", {"owner_id": foreign}, status=400),
        client.put(f"{CONTACTS}/{made['id']}", wish, status=400),
    ]

    message = "No member here is the person with this id; /members tells who is."
    assert [refusal["errors"] for refusal in refusals] == [{"owner_id": [message]}] * 5
    with tenant_context(acme):
        assert [str(found.owner_id) for found in Contact.objects.all()] == [ada]


def test_a_batch_asks_for_its_owners_once(acme, api, ada, stranger):
    client = api(acme)
    owners = [ada, stranger, ada, None, "x", str(member_of(acme).person_id)]
    items = [{"first_name": f"N{n}", "owner_id": owner} for n, owner in enumerate(owners)]

    with CaptureQueriesContext(connection) as queries:
        answer = client.post(f"{CONTACTS}/batch", {"items": items}, status=207)

    assert [result["status"] for result in answer["results"]] == [201, 400, 201, 201, 400, 201]
    assert list(answer["results"][1]["error"]["errors"]) == ["owner_id"]
    assert asked_for_members(queries) == 1


def test_one_contact_costs_one_question_more_and_none_where_nothing_changes(acme, api, ada):
    client = api(acme)
    with CaptureQueriesContext(connection) as queries:
        made = client.post(CONTACTS, {"first_name": "Bob", "owner_id": ada})
    assert asked_for_members(queries) == 1

    with CaptureQueriesContext(connection) as queries:
        client.patch(f"{CONTACTS}/{made['id']}", {"owner_id": ada, "first_name": "Rob"})
        client.patch(f"{CONTACTS}/{made['id']}", {"owner_id": None})
    assert asked_for_members(queries) == 0


def test_a_contact_whose_owner_has_left_can_still_be_sent_back_as_it_is(acme, api, ada):
    client = api(acme)
    made = client.post(CONTACTS, {"first_name": "Bob", "owner_id": ada})
    Member.objects.filter(person_id=ada).delete()

    kept = client.patch(f"{CONTACTS}/{made['id']}", {"owner_id": ada, "first_name": "Rob"})
    other = client.post(CONTACTS, {"first_name": "Eve", "owner_id": ada}, status=400)

    assert (kept["first_name"], kept["owner_id"]) == ("Rob", ada)
    assert list(other["errors"]) == ["owner_id"]


def test_a_file_names_no_owner(acme, api, ada, work):
    """A column of that name is a field of the tenant's own, and cannot be pointed at the owner."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    client = api(acme)

    def sent(**more):
        file = SimpleUploadedFile("a.csv", f"email,owner_id\nbob@example.test,{ada}\n".encode())
        return client.client.post("/api/v1/imports", {"file": file, **more})

    refused = sent(mapping='{"email": "email", "owner_id": "owner_id"}')
    work(acme, sent().json()["id"])

    assert refused.status_code == 400
    with tenant_context(acme):
        assert [found.owner_id for found in Contact.objects.all()] == [None]


def test_a_tenant_reads_its_own_members_and_no_others(acme, globex, stranger):
    member_of(acme, Role.OWNER)
    with tenant_context(acme):
        seen = set(Member.objects.values_list("tenant_id", flat=True))
        ContactFactory()
    assert seen == {acme.pk}
