"""Batches: every item alone, in order, in a fixed number of statements, within the plan."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.crm.models import Company, Contact, Tag
from config.ids import new_id
from tenants.isolation import tenant_context
from tests.crm.test_contacts import used

pytestmark = pytest.mark.django_db
BATCH = "/api/v1/contacts/batch"
NOBODY = str(new_id())


def send(client, items, path=BATCH):
    return client.post(path, {"items": items}, status=207)["results"]


def statuses(results):
    return [result["status"] for result in results]


def wish(number: int) -> dict[str, object]:
    return {
        "email": f"P{number}@x.test", "external_id": f"c-{number}", "first_name": f"Name {number}",
        "phone": f"55 1234 {number:04}", "phone_region": "MX", "company": f"Firm {number % 3}",
        "tags": ["vip", f"t{number % 2}"], "fields": {"points": number},
    }  # fmt: skip


def test_a_batch_does_what_each_item_alone_would_do(acme, api):
    client = api(acme)
    made = send(client, [wish(number) for number in range(4)])
    alone = client.post("/api/v1/contacts", wish(9))

    read = send(client, [{"id": each["id"]} for each in made], f"{BATCH}/read")

    assert statuses(made) == [201] * 4
    first = read[1]["item"]
    unlike = {"id", "created_at", "updated_at", "company_id"}
    expected = {**alone, "email": "p1@x.test", "external_id": "c-1", "first_name": "Name 1",
                "phone": "+525512340001", "company": "Firm 1", "fields": {"points": 1}}  # fmt: skip
    assert {n: v for n, v in first.items() if n not in unlike} == {
        n: v for n, v in expected.items() if n not in unlike
    }
    assert used(client) == 5


def test_items_see_what_the_items_before_them_did(acme, api):
    client = api(acme)
    known = client.post("/api/v1/contacts", {"email": "a@x.test", "tags": ["old"]})

    results = send(
        client,
        [
            {"email": "A@x.test", "external_id": "1", "tags": ["New", "new"]},
            {"email": "b@x.test", "external_id": "1"},
            {"email": "c@x.test", "first_name": "Cleo", "fields": {"a": 1, "b": 2}},
            {"email": "c@x.test", "last_name": "Ptolemy", "fields": {"a": None}, "company": "Nile"},
            {"email": "d@x.test", "company_id": NOBODY, "company": None},
            {"email": "e@x.test", "company_id": NOBODY},
            {"email": "f@x.test", "phone": "1"},
            {"email": None, "first_name": "keyless"},
        ],
        f"{BATCH}?key=email",
    )

    assert statuses(results) == [200, 409, 201, 200, 400, 400, 400, 400]
    refused = [list(each["error"]["errors"]) for each in results[4:]]
    assert refused == [["company"], ["company_id"], ["phone"], ["email"]]
    assert (results[1]["error"]["id"], results[1]["error"]["field"]) == (known["id"], "external_id")
    cleo = client.get(f"/api/v1/contacts/{results[3]['id']}")
    assert (cleo["first_name"], cleo["last_name"], cleo["company"], cleo["fields"]) == (
        "Cleo", "Ptolemy", "Nile", {"b": 2},
    )  # fmt: skip
    assert client.get(f"/api/v1/contacts/{known['id']}")["tags"] == ["New"]
    with tenant_context(acme):
        assert set(Contact.objects.values_list("email", flat=True)) == {"a@x.test", "c@x.test"}
        assert sorted(Tag.objects.values_list("name", flat=True)) == ["New", "old"]
        assert list(Company.objects.values_list("name", flat=True)) == ["Nile"]
    assert used(client) == 2


def test_what_fits_the_plan_is_added_and_the_rest_is_refused_item_by_item(acme, api, allow):
    client = api(acme)
    allow(acme, 3)
    client.post("/api/v1/contacts", {"email": "a@x.test"})

    results = send(
        client,
        [{"email": f"{name}@x.test", "first_name": "N"} for name in ("b", "a", "c", "d", "b", "d")],
        f"{BATCH}?key=email",
    )

    assert statuses(results) == [201, 200, 201, 402, 200, 402]
    told = results[3]["error"]
    assert (told["code"], told["meter"], told["limit"]) == ("quota_exceeded", "contacts", 3)
    assert used(client) == 3
    with tenant_context(acme):
        assert Contact.objects.count() == 3


def test_a_batch_asks_as_often_for_two_items_as_for_many(acme, api):
    client = api(acme)
    send(client, [wish(number) for number in (90, 91, 92, 93)])
    counts = {}
    for name, path, items in (
        ("few", f"{BATCH}?key=email", [wish(90), wish(1), wish(91), wish(2)]),
        ("many", f"{BATCH}?key=email", [wish(number) for number in range(60)] + [wish(92)]),
        ("read few", f"{BATCH}/read", [{"email": "p1@x.test"}, {"external_id": "c-2"}]),
        ("read many", f"{BATCH}/read", [{"email": f"P{n}@x.test"} for n in range(50)]
         + [{"external_id": "c-2"}]),
    ):  # fmt: skip
        with CaptureQueriesContext(connection) as queries:
            results = send(client, items, path)
        counts[name] = len(queries)
        assert set(statuses(results)) <= {200, 201}

    assert counts["few"] == counts["many"]
    assert counts["read few"] == counts["read many"]


def test_an_update_changes_what_exists_and_an_archive_takes_out_of_lists(acme, api):
    client = api(acme)
    one, two = (each["id"] for each in send(client, [wish(1), wish(2)]))

    changed = send(
        client,
        [{"id": one, "last_name": "Byron"}, {"id": NOBODY, "last_name": "x"}, {"last_name": "x"},
         {"id": "x"}, {"id": two, "email": "P1@x.test"}, {"id": two, "emial": "x"}, 5],
        f"{BATCH}/update",
    )  # fmt: skip
    by_key = send(
        client,
        [{"external_id": "c-2", "first_name": "Two"}, {"external_id": "c-9", "first_name": "x"}],
        f"{BATCH}/update?key=external_id",
    )
    gone = send(client, [{"id": two}, {"id": NOBODY}, {"id": two}], f"{BATCH}/archive")

    assert statuses(changed) == [200, 404, 400, 400, 409, 400, 400]
    assert statuses(by_key) == [200, 404]
    assert statuses(gone) == [200, 404, 200]
    listed = client.get("/api/v1/contacts")["results"]
    assert [(row["id"], row["last_name"], row["tags"]) for row in listed] == [
        (one, "Byron", ["t1", "vip"])
    ]
    assert client.get(f"/api/v1/contacts/{two}")["first_name"] == "Two"
    assert used(client) == 2


def test_two_contacts_of_one_batch_may_swap_their_addresses_one_after_the_other(acme, api):
    client = api(acme)
    one, two = (each["id"] for each in send(client, [wish(1), wish(2)]))
    results = send(
        client,
        [{"id": one, "email": "free@x.test"}, {"id": two, "email": "p1@x.test"},
         {"id": one, "email": "p2@x.test"}],
        f"{BATCH}/update",
    )  # fmt: skip
    assert statuses(results) == [200, 200, 200]
    found = send(client, [{"email": "p2@x.test"}, {"email": "p1@x.test"}], f"{BATCH}/read")
    assert [each["id"] for each in found] == [one, two]


def test_who_only_reads_may_ask_a_batch_and_sees_no_address(acme, api):
    [made] = send(api(acme), [wish(1)])
    reader = api(acme, "read_only")

    [seen] = send(reader, [{"external_id": "c-1"}], f"{BATCH}/read")
    by_email = send(reader, [{"email": "p1@x.test"}], f"{BATCH}/read")

    assert (seen["id"], seen["item"]["email"]) == (made["id"], "p•••@x.test")
    assert by_email[0]["error"]["code"] == "personal_data_hidden"
    for path in (BATCH, f"{BATCH}/update", f"{BATCH}/archive"):
        assert reader.post(path, {"items": [{}]}, status=403)["code"] == "permission_denied"
