"""Without `pii:read` e-mails and phones are masked wherever contacts are answered, and no question tells them."""

import csv
import io

import pytest
from django.utils import timezone

from config.ids import new_id
from config.personal import Personal, masked, text_without_personal
from tenants.identity import middleware
from tenants.identity.caller import Caller, person_caller
from tenants.isolation import tenant_context
from tests import factories
from tests.portal.browser import signed_in

pytestmark = pytest.mark.django_db
EMAIL, PHONE = "ada@engines.test", "+5215512345678"
MASKED = {"email": "a•••@engines.test", "phone": "•••78"}


@pytest.fixture
def ada(acme) -> str:
    with tenant_context(acme):
        made = factories.ContactFactory(
            email=EMAIL, phone=PHONE, first_name="Ada", last_name="Byron",
            fields={"second": "countess@byron.test", "score": 7},
        )  # fmt: skip
        job = factories.ImportFactory(status="failed", finished_at=timezone.now())
        factories.ImportRowErrorFactory(job=job, raw=[EMAIL])
    return str(made.pk)


def test_read_only_sees_masks_in_every_answer_and_others_see_everything(acme, api, ada):
    reader, member = api(acme, "read_only"), api(acme, "member")
    for path in ("/api/v1/contacts", "/api/v1/contacts?search=byron"):
        (shown,) = reader.get(path)["results"]
        assert {name: shown[name] for name in MASKED} == MASKED
        assert shown["fields"] == {"second": "c•••@byron.test", "score": 7}
        assert shown["first_name"] == "Ada"
        (whole,) = member.get(path)["results"]
        assert (whole["email"], whole["phone"]) == (EMAIL, PHONE)
    assert reader.get(f"/api/v1/contacts/{ada}")["email"] == MASKED["email"]
    members = reader.get("/api/v1/members")["results"]
    assert {each["person"]["email"] for each in members} == {"r•••@acme.test", "m•••@acme.test"}
    assert reader.get("/api/v1/me")["email"] == "read-only@acme.test"
    page = signed_in(acme, "read_only").get("/contacts")
    assert EMAIL not in page
    assert PHONE not in page
    assert MASKED["email"] in page


def test_what_is_masked_cannot_be_asked_for_letter_by_letter(acme, api, ada):
    reader, member = api(acme, "read_only"), api(acme, "member")
    for query in (f"email={EMAIL}", "phone=%2B5215512345678"):
        assert reader.get(f"/api/v1/contacts?{query}", status=403)["code"] == "personal_data_hidden"
        assert len(member.get(f"/api/v1/contacts?{query}")["results"]) == 1
    for search, found in (
        ("engines", 0),
        ("ada@", 0),
        ("byron", 1),
        ("ada by", 1),
        ("byron ada", 1),
    ):
        assert len(reader.get(f"/api/v1/contacts?search={search}")["results"]) == found
        assert len(member.get(f"/api/v1/contacts?search={search}")["results"]) == 1
    (job,) = member.get("/api/v1/imports")["results"]
    path = f"/api/v1/imports/{job['id']}/errors"
    assert reader.get(path, status=403)["code"] == "personal_data_hidden"
    assert EMAIL in [*csv.reader(io.StringIO(member.get(path).decode()))][1]


def test_an_operator_who_impersonates_the_owner_sees_masks_too(acme, api, ada, monkeypatch):
    found = person_caller

    def impersonated(*given, **options) -> Caller:
        caller = found(*given, **options)
        return Caller(
            **{
                **{name: getattr(caller, name) for name in Caller.__slots__},
                "operator_id": new_id(),
            }
        )

    monkeypatch.setattr(middleware, "person_caller", impersonated)
    client = api(acme)
    assert client.get(f"/api/v1/contacts/{ada}")["email"] == MASKED["email"]
    assert client.get("/api/v1/me")["email"] == "o•••@acme.test"
    for path in (f"contacts/{ada}/personal-data", f"exports/{new_id()}/download"):
        assert client.get(f"/api/v1/{path}", status=403)["code"] == "personal_data_hidden"
    client.post("/api/v1/exports", status=403)


def test_masks_keep_what_tells_people_apart_and_no_more():
    assert [masked(Personal.EMAIL, each) for each in (EMAIL, "", None, "broken")] == [
        "a•••@engines.test", "", None, "b•••",
    ]  # fmt: skip
    assert masked(Personal.PHONE, PHONE) == "•••78"
    assert masked(Personal.NAME, "Ada") == "Ada"
    told = f"to <{EMAIL}>, ({PHONE}) at 12:00:00+00:00 by b.c+d@x-y.example.com."
    assert text_without_personal(told) == (
        "to <a•••@engines.test>, (•••78) at 12:00:00+00:00 by b•••@x-y.example.com."
    )
