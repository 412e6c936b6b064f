"""What a row of the trail tells: who, from where, what changed, and never a secret."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import RequestFactory

from config.context import bound_request_id
from config.errors import ServiceUnavailable  # noqa: F401 - the kind of refusal that is meant
from config.ids import new_id
from tenants.identity.caller import CallerKind, person_caller
from tenants.isolation import owner_context, tenant_context
from tenants.models import OPERATORS, ApiKey, Archive, TrailPending
from tenants.trail.actions import Action
from tenants.trail.masking import changed, kept
from tenants.trail.origin import asked_by
from tenants.trail.recording import Change, Subject, record
from tests.client import member_of

pytestmark = pytest.mark.django_db


def rows(chain: UUID) -> list[dict]:
    waiting = TrailPending.objects.filter(tenant_id=chain).order_by("recorded_at", "id")
    return [row.body for row in waiting]


def request_of(tenant, caller):
    request: Any = RequestFactory().get("/", REMOTE_ADDR="203.0.113.9", HTTP_USER_AGENT="agent/1")
    request.tenant, request.caller = tenant, caller
    return request


def test_both_ids_stand_on_each_row_while_an_operator_impersonates_a_member(acme):
    member, operator_id = member_of(acme), new_id()
    TrailPending.objects.all()
    caller = replace(person_caller(member, CallerKind.SESSION), operator_id=operator_id)
    with tenant_context(acme), asked_by(request_of(acme, caller)), bound_request_id("request-1"):
        record(Action.CONTACT_DELETED, Subject("contact", "c-1"))

    (tenants, operators) = (rows(acme.id)[-1], rows(OPERATORS)[-1])

    assert {
        name: tenants[name] for name in ("actor_kind", "actor_id", "person_id", "operator_id")
    } == {
        "actor_kind": "person",
        "actor_id": str(member.pk),
        "person_id": str(member.person_id),
        "operator_id": str(operator_id),
    }
    assert (tenants["address"], tenants["user_agent"]) == ("203.0.113.9", "agent/1")
    assert tenants["request_id"] == "request-1"
    assert operators == {**tenants, "about_tenant_id": str(acme.id)}


def test_a_key_acts_as_itself_and_its_maker_is_told(acme, api):
    from tests.client import Api

    made = api(acme).post("/api/v1/api-keys", {"name": "robot", "scopes": ["admin"]})
    contact = api(acme).post("/api/v1/contacts", {"email": "a@b.test"})
    Api(acme, {"Authorization": f"Api-Key {made['key']}"}).delete(
        f"/api/v1/contacts/{contact['id']}"
    )

    told = rows(acme.id)

    assert [row["action"] for row in told] == ["member.added", "api_key.created", "contact.deleted"]
    assert (told[2]["actor_kind"], told[2]["actor_id"]) == ("key", made["id"])
    assert told[2]["person_id"] == str(member_of(acme).person_id)
    assert made["key"] not in str(told)
    assert ApiKey.objects.get(pk=made["id"]).key_hash not in str(told)


def test_only_what_changed_is_kept_and_secrets_and_personal_data_are_not():
    before = {"name": "a", "email": "ada@acme.test", "password": "old", "roles": ["a"], "n": 1}
    after = {"name": "a", "email": "bob@acme.test", "password": "new", "roles": ["b"], "n": 1}

    assert changed(before, after) == (
        {"email": "a•••@acme.test", "password": "•••", "roles": ["a"]},
        {"email": "b•••@acme.test", "password": "•••", "roles": ["b"]},
    )
    assert kept("fields", {"phone": "+34600", "api_key": "k", "city": "León"}) == {
        "phone": "+•••", "api_key": "•••", "city": "León",
    }  # fmt: skip
    assert kept("note", "a\x00\ud800" + "b" * 600) == "a?" + "b" * 497 + "…"


def test_sign_ins_are_told_also_those_whose_key_for_repeats_rolls_back_what_was_written(acme):
    from tests.client import PASSWORD, Api

    member = member_of(acme)
    member.person.set_password(PASSWORD)
    member.person.save()
    anonymous = Api.anonymous(acme)
    good = {"email": member.person.email, "password": PASSWORD}
    bad = {"email": member.person.email, "password": "wrong"}
    anonymous.post("/api/v1/auth/token", good, status=200)
    anonymous.post("/api/v1/auth/token", bad, status=401)
    anonymous.post("/api/v1/auth/token", bad, status=401, Idempotency_Key="hide-me")
    stranger = {"email": "nobody@x.test", "password": "wrong"}
    anonymous.post("/api/v1/auth/token", stranger, status=401)

    told = [(row["action"], row["object_label"]) for row in rows(acme.id)][1:]

    assert told == [
        ("sign_in.succeeded", "o•••@acme.test"),
        ("sign_in.failed", "o•••@acme.test"),
        ("sign_in.failed", "o•••@acme.test"),
        ("sign_in.failed", "n•••@x.test"),
    ]


@pytest.mark.parametrize("away", ["record_trail(text, text, text)"])
def test_an_export_is_not_begun_while_it_cannot_be_recorded(acme, api, away):
    client = api(acme)
    with owner_context(), connection.cursor() as cursor:
        cursor.execute(f"REVOKE EXECUTE ON FUNCTION plaza.{away} FROM plaza_square, plaza_tenants")

    refused = client.post("/api/v1/exports", status=503)

    assert refused["code"] == "audit_trail_away"
    assert Archive.objects.count() == 0


def test_nor_is_a_tenant_erased(acme, now):
    from tenants import life
    from tenants.models import Erasure
    from tenants.trail.recording import AuditTrailAway

    with owner_context(), connection.cursor() as cursor:
        cursor.execute(
            "REVOKE EXECUTE ON FUNCTION plaza.record_trail(text, text, text)"
            " FROM plaza_square, plaza_tenants"
        )
    with pytest.raises(AuditTrailAway):
        life.erase(tenant_id=acme.id, now=now, tell=lambda _: None, is_at_once=True)

    assert Erasure.objects.count() == 0
    acme.refresh_from_db()
    assert acme.status == "active"


def test_nothing_in_hand_is_the_system(acme):
    with tenant_context(acme):
        record(Action.TAG_DELETED, Subject("tag", "t"), Change(after={"a": SimpleNamespace()}))

    assert rows(acme.id)[-1]["actor_kind"] == "system"
