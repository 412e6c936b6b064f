"""`/audit-events`: found, narrowed, paged and exported by those who may, and by nobody else."""

import csv
import io
import json

import pytest

from tenants.isolation import tenant_context
from tenants.trail.actions import Action
from tenants.trail.recording import Change, Subject, record
from tenants.trail.sealing import seal
from tests.client import member_of

pytestmark = pytest.mark.django_db
PATH = "/api/v1/audit-events"


@pytest.fixture
def trail(acme, globex):
    """Six acts at acme, one at globex."""
    with tenant_context(acme):
        for number in range(4):
            record(Action.CONTACT_DELETED, Subject("contact", f"c-{number}", "=1+1"))
        record(
            Action.TAG_DELETED, Subject("tag", "t-1", "VIP"), Change({"name": "a"}, {"name": "b"})
        )
        record(Action.CAMPAIGN_MOVED, Subject("campaign", "x", "Spring"))
    with tenant_context(globex):
        record(Action.TAG_DELETED, Subject("tag", "t-9", "of globex"))
    for tenant in (acme, globex):
        seal(tenant.id)


def objects(answer) -> list[str]:
    return [each["object"]["id"] for each in answer["results"]]


def test_the_newest_acts_come_first_and_pages_lead_to_the_oldest(acme, api, trail):
    client = api(acme)

    first = client.get(f"{PATH}?limit=4")
    second = client.get(first["next"].partition("testserver")[2] or first["next"])

    assert objects(first) == ["x", "t-1", "c-3", "c-2"]
    assert objects(second) == ["c-1", "c-0"]
    assert second["next"] is None
    assert first["results"][1] | {"recorded_at": "", "digest": "", "id": ""} == {
        "id": "",
        "number": 5,
        "recorded_at": "",
        "action": "tag.deleted",
        "actor": {"kind": "system", "id": None, "person_id": None, "operator_id": None},
        "object": {"kind": "tag", "id": "t-1", "label": "VIP"},
        "address": "",
        "user_agent": "",
        "request_id": "",
        "before": {"name": "a"},
        "after": {"name": "b"},
        "digest": "",
    }


def test_it_is_narrowed_by_actor_action_object_moment_and_words(acme, api, trail):
    client = api(acme)
    contact = client.post("/api/v1/contacts", {"email": "a@b.test"})
    client.delete(f"/api/v1/contacts/{contact['id']}")
    seal(acme.id)
    member = member_of(acme)
    moments = [each["recorded_at"] for each in client.get(f"{PATH}?ordering=number")["results"]]
    found = {
        question: objects(client.get(f"{PATH}?{question}"))
        for question in (
            f"actor={member.pk}", f"actor={member.person_id}", "action=tag.deleted", "action=tag",
            "object=c-2", "object_kind=campaign", f"from={moments[4]}&to={moments[6]}",
            "search=spring", "actor_kind=person", "number__gt=7",
        )
    }  # fmt: skip

    mine = [contact["id"]]
    assert list(found.values()) == [
        mine, mine, ["t-1"], ["t-1"], ["c-2"], ["x"], ["x", "t-1"], ["x"], mine, mine,
    ]  # fmt: skip
    assert client.get(f"{PATH}?acton=tag", status=400)["errors"].keys() == {"acton"}
    assert client.get(f"{PATH}?from=yesterday", status=400)["errors"].keys() == {"from"}
    assert client.get(f"{PATH}?ordering=before", status=400)["errors"].keys() == {"ordering"}


@pytest.mark.parametrize(
    ("role", "status"),
    [("owner", 200), ("admin", 200), ("billing", 403), ("editor", 403), ("read_only", 403)],
)
def test_owner_and_admin_may_read_it(acme, api, role, status):
    api(acme, role).get(PATH, status=status)


def test_an_export_tells_all_of_it_runs_no_formula_and_is_recorded_itself(acme, api, trail):
    client = api(acme)
    sheet = client.client.get(f"{PATH}/export.csv?action=contact")
    rows = list(csv.DictReader(io.StringIO(b"".join(sheet).decode())))
    text = b"".join(client.client.get(f"{PATH}/export.ndjson")).decode()
    lines = [json.loads(line) for line in text.splitlines()]
    seal(acme.id)

    assert [(row["number"], row["object_id"]) for row in rows] == [
        ("1", "c-0"), ("2", "c-1"), ("3", "c-2"), ("4", "c-3"),
    ]  # fmt: skip
    assert {row["object_label"] for row in rows} == {"'=1+1"}
    assert [line["number"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert lines[4]["after"] == {"name": "b"}
    told = client.get(f"{PATH}?action=audit_trail")["results"]
    assert [(each["object"]["label"], each["after"]) for each in told] == [
        ("ndjson", {}), ("csv", {"action": "contact"}),
    ]  # fmt: skip


def test_a_plan_without_the_feature_exports_nothing(globex, api):
    refused = api(globex).get(f"{PATH}/export.csv", status=403)

    assert (refused["code"], refused["upgrade_to"]) == ("feature_not_in_plan", "growth")
    api(globex, "editor").get(f"{PATH}/export.csv", status=403)
