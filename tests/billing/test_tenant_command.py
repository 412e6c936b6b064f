"""`manage.py tenant`: what an operator does by hand."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from tenants.models import Tenant

pytestmark = pytest.mark.django_db


def told(*arguments: str) -> list[dict]:
    out = io.StringIO()
    call_command("tenant", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())["results"]


def test_list_and_show_tell_state_plan_and_usage(acme, globex):
    assert [(row["slug"], row["status"], row["plan"]) for row in told("list")] == [
        ("acme", "active", "growth"),
        ("globex", "active", "starter"),
    ]
    first, *meters = told("show", "acme")
    contacts = next(row for row in meters if row["meter"] == "contacts")
    assert (first["url"], contacts["used"], contacts["limit"]) == (
        "http://acme.plaza.localhost:8000",
        0,
        50_000,
    )


def test_suspend_and_resume_change_the_very_next_request(acme, api):
    client = api(acme)
    assert told("suspend", "acme", "--reason", "unpaid")[0]["status"] == "suspended"
    refused = client.get("/api/v1/contacts", status=403)
    assert told("resume", "acme")[0]["status"] == "active"
    client.get("/api/v1/contacts")

    assert refused["code"] == "tenant_suspended"


@pytest.mark.django_db(transaction=True)
def test_create_signs_a_tenant_up(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("market-square-2026\n"))
    made = told(
        "create", "sol", "--organisation", "Sol", "--email", "ana@sol.test", "--password-stdin"
    )

    assert [(row["slug"], row["status"], row["plan"]) for row in made] == [
        ("sol", "active", "free")
    ]
    assert Tenant.objects.get(slug="sol").status == "active"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "nobody"), "no tenant 'nobody'"),
        (("suspend", "acme", "--reason", " "), "validation_failed"),
    ],
)
def test_a_wrong_wish_is_refused_in_words(acme, arguments, said):
    with pytest.raises(CommandError, match=said):
        call_command("tenant", *arguments)
