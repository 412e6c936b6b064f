"""Deals and their pipelines, notes and tasks about them, and a contact's timeline of everything."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.ids import new_id
from tenants.isolation import tenant_context
from tests import factories
from tests.client import member_of

pytestmark = pytest.mark.django_db
DEALS, PIPELINES = "/api/v1/deals", "/api/v1/pipelines"
NOBODY = str(new_id())


@pytest.fixture
def stages(acme, api) -> dict[str, str]:
    """The stages of a pipeline by their names."""
    wish = {"name": "Sales", "stages": [{"name": "New"}, {"name": "Won", "kind": "won"}]}
    made = api(acme).post(PIPELINES, wish)
    return {stage["name"]: stage["id"] for stage in made["stages"]} | {"pipeline": made["id"]}


def test_stages_keep_their_order_and_one_with_deals_stays(acme, api, stages):
    client = api(acme)
    client.post(DEALS, {"name": "A", "stage_id": stages["New"]})
    new, won = ({"id": stages[name], "name": name} for name in ("New", "Won"))

    changed = client.patch(
        f"{PIPELINES}/{stages['pipeline']}",
        {"stages": [{"name": "Lead"}, {**new, "name": "Fresh"}, won]},
    )
    refused = [
        client.patch(f"{PIPELINES}/{stages['pipeline']}", {"stages": [won]}, status=409)["code"],
        client.delete(f"{PIPELINES}/{stages['pipeline']}", status=409)["code"],
        client.post(PIPELINES, {"name": "SALES", "stages": [{"name": "x"}]}, status=409)["code"],
    ]
    twice = {"stages": [{"name": "x"}, {"name": "X"}]}
    wrong = client.patch(f"{PIPELINES}/{stages['pipeline']}", twice, status=400)

    assert [(each["name"], each["kind"]) for each in changed["stages"]] == [
        ("Lead", "open"), ("Fresh", "open"), ("Won", "won"),
    ]  # fmt: skip
    assert refused == ["stage_in_use", "stage_in_use", "pipeline_exists"]
    assert list(wrong["errors"]) == ["stages"]
    listed = client.get(PIPELINES)["results"]
    assert [each["stages"] for each in listed] == [changed["stages"]]


def test_a_deal_moves_through_its_stages_and_is_closed_by_the_last(acme, api, stages):
    client = api(acme)
    owner = str(member_of(acme).person_id)
    with tenant_context(acme):
        contact = str(factories.ContactFactory().pk)
    wish = {
        "name": "Thousand engines", "stage_id": stages["New"], "external_id": "d-1",
        "contact_id": contact, "amount": {"amount": 900, "currency": "MXN"}, "owner_id": owner,
        "closes_on": "2026-12-31", "fields": {"a": 1},
    }  # fmt: skip
    made = client.post(DEALS, wish)
    assert {name: made[name] for name in wish} == wish
    assert (made["closed_at"], made["company_id"], made["archived_at"]) == (None, None, None)

    won = client.patch(f"{DEALS}/{made['id']}", {"stage_id": stages["Won"]})
    assert won["closed_at"] == won["stage_changed_at"] > made["stage_changed_at"]
    assert won["amount"] == wish["amount"]
    again = client.patch(f"{DEALS}/{made['id']}", {"stage_id": stages["New"], "amount": None})
    assert (again["closed_at"], again["amount"]) == (None, None)

    for wrong in ({"stage_id": NOBODY}, {"contact_id": NOBODY}, {"owner_id": NOBODY}, {"name": ""}):
        refused = client.patch(f"{DEALS}/{made['id']}", wrong, status=400)
        assert list(refused["errors"]) == list(wrong)
    assert client.post(DEALS, wish, status=409)["id"] == made["id"]
    results = client.post(
        f"{DEALS}/batch?key=external_id",
        {"items": [{**wish, "name": "B"}, {**wish, "external_id": "d-2"}, {"name": "x"}]},
        status=207,
    )["results"]
    assert [each["status"] for each in results] == [200, 201, 400]
    [read] = client.post(f"{DEALS}/batch/read", {"items": [{"external_id": "d-1"}]}, status=207)[
        "results"
    ]
    assert (read["id"], read["item"]["name"]) == (made["id"], "B")
    client.post(f"{DEALS}/batch/archive", {"items": [{"id": made["id"]}]}, status=207)
    for query, names in ((f"contact={contact}", ["Thousand engines"]), ("search=thou", ["Thousand engines"]),
                         ("archived=true", ["B"]), ("closed=true", [])):  # fmt: skip
        assert [row["name"] for row in client.get(f"{DEALS}?{query}")["results"]] == names
    client.delete(f"{DEALS}/{made['id']}")


def test_companies_come_in_batches_by_name_or_external_id(acme, api):
    client = api(acme)
    path = "/api/v1/companies/batch"
    items = [
        {"name": "Ñandú", "external_id": "1"},
        {"name": "ñandú", "industry": "x"},
        {"domain": "x"},
    ]
    results = client.post(f"{path}?key=name", {"items": items}, status=207)["results"]
    taken = client.post(path, {"items": [{"name": "ÑANDÚ"}]}, status=207)["results"]
    [read] = client.post(f"{path}/read", {"items": [{"name": "ÑAndú"}]}, status=207)["results"]

    assert [each["status"] for each in results] == [201, 200, 400]
    assert (taken[0]["status"], taken[0]["error"]["field"]) == (409, "name")
    assert (read["id"], read["item"]["industry"]) == (results[0]["id"], "x")


def test_a_note_and_a_task_are_about_one_thing_and_go_with_it(acme, api):
    client = api(acme)
    with tenant_context(acme):
        contact, company = factories.ContactFactory(), factories.CompanyFactory()
    mine = str(member_of(acme).person_id)
    about = {"contact_id": str(contact.pk)}
    note = client.post("/api/v1/notes", {**about, "text": "Called\nback"})
    task = client.post("/api/v1/tasks", {**about, "title": "Call", "assignee_id": mine})
    client.post("/api/v1/notes", {"company_id": str(company.pk), "text": "x"})
    assert (note["author_id"], task["assignee_id"], task["done_at"]) == (mine, mine, None)

    for wrong in ({}, {**about, "company_id": str(company.pk)}, {"contact_id": NOBODY}):
        client.post("/api/v1/notes", {**wrong, "text": "x"}, status=400)
    client.patch(f"/api/v1/notes/{note['id']}", {"company_id": str(company.pk)}, status=400)
    client.patch(f"/api/v1/tasks/{task['id']}", {"assignee_id": NOBODY}, status=400)
    assert client.get(f"/api/v1/tasks?done=false&assignee_id={mine}")["results"] == [task]
    done = client.patch(f"/api/v1/tasks/{task['id']}", {"done": True})
    assert done["done_at"] is not None
    assert client.get("/api/v1/tasks?done=false")["results"] == []
    assert len(client.get(f"/api/v1/notes?contact={contact.pk}")["results"]) == 1
    client.delete(f"/api/v1/notes/{note['id']}")
    client.delete(f"/api/v1/contacts/{contact.pk}")
    assert [row["text"] for row in client.get("/api/v1/notes")["results"]] == ["x"]
    assert client.get("/api/v1/tasks")["results"] == []


def test_a_timeline_has_everything_in_order_and_pages_in_one_statement_each(acme, api):
    client = api(acme)
    with tenant_context(acme):
        contact, other = factories.ContactFactory(), factories.ContactFactory()
        for whose in (contact, other):
            for day in (1, 2, 2, 3):
                factories.OrderFactory(
                    contact=whose, ordered_on=datetime(2020, 1, day, tzinfo=UTC).date(),
                    external_id=f"{whose.pk}-{new_id()}",
                )  # fmt: skip
            factories.ConsentFactory(contact=whose)
            factories.NoteFactory(contact=whose, text="hello")
            factories.TaskFactory(contact=whose, done_at=datetime(2020, 1, 2, 12, tzinfo=UTC))
            factories.DealFactory(contact=whose)
            factories.SegmentMemberFactory(contact=whose)
    address = f"/api/v1/contacts/{contact.pk}/timeline"
    whole = client.get(address)["results"]
    seen, page = [], client.get(f"{address}?limit=2")
    while True:
        seen += page["results"]
        if page["next"] is None:
            break
        with CaptureQueriesContext(connection) as queries:
            page = client.get(page["next"])
        assert len([q for q in queries if "UNION ALL" in q["sql"]]) == 1

    assert seen == whole
    assert [each["at"] for each in whole] == sorted((each["at"] for each in whole), reverse=True)
    assert [each["kind"] for each in whole[-5:]] == [
        "order.placed",
        "task.done",
        *["order.placed"] * 3,
    ]
    assert sorted({each["kind"] for each in whole}) == [
        "consent.recorded", "contact.created", "deal.created", "note.written", "order.placed",
        "segment.entered", "task.created", "task.done",
    ]  # fmt: skip
    assert len(whole) == 11
