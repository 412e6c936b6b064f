"""API keys over the API: made by admins, shown once, listed without their secret, revoked at once."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tenants.identity.keys import create_key
from tenants.models import ApiKey
from tests.tenants.identity.people import program, told

pytestmark = pytest.mark.django_db


def asked(tenant, raw: str, path: str = "/api/v1/me"):
    return program(tenant, f"Api-Key {raw}").get(path)


def test_an_admin_makes_a_key_which_is_shown_once_and_works(acme, api):
    admin = api(acme, "admin")

    shown = admin.post("/api/v1/api-keys", {"name": "ci", "scopes": ["read", "write"]})
    listed = admin.get("/api/v1/api-keys")["results"]

    assert asked(acme, shown["key"]).status_code == 200
    assert shown["scopes"] == ["read", "write"]
    assert {
        name: value for name, value in shown.items() if name not in {"key", "last_used_at"}
    } == {name: value for name, value in listed[0].items() if name != "last_used_at"}
    assert shown["key"] not in str(listed)
    assert shown["created_by"] == str(admin.member.pk)


def test_a_revoked_key_is_refused_from_the_next_request_on(acme, api):
    admin = api(acme, "admin")
    shown = admin.post("/api/v1/api-keys", {"name": "ci", "scopes": ["readonly"]})

    admin.delete(f"/api/v1/api-keys/{shown['id']}")
    admin.delete(f"/api/v1/api-keys/{shown['id']}")

    assert told(asked(acme, shown["key"])) == (403, "api_key_invalid")
    assert admin.get("/api/v1/api-keys")["results"][0]["revoked_at"] is not None


def test_another_tenants_key_can_neither_be_seen_nor_revoked(acme, globex, api):
    shown = api(acme).post("/api/v1/api-keys", {"name": "ours", "scopes": ["readonly"]})
    stranger = api(globex)

    assert stranger.get("/api/v1/api-keys")["results"] == []
    assert stranger.delete(f"/api/v1/api-keys/{shown['id']}", status=404)["code"] == "not_found"
    assert asked(acme, shown["key"]).status_code == 200


@pytest.mark.parametrize("role", ["billing", "editor", "member", "read_only"])
def test_lesser_roles_neither_see_nor_make_keys(acme, api, role):
    client = api(acme, role)

    assert client.get("/api/v1/api-keys", status=403)["code"] == "permission_denied"
    client.post("/api/v1/api-keys", {"name": "x", "scopes": ["admin"]}, status=403)
    client.delete(f"/api/v1/api-keys/{UUID(int=1)}", status=403)


def test_a_key_makes_no_keys(acme, owner):
    _, raw = create_key(tenant_id=acme.pk, name="ci", scopes=["admin"], created_by_id=owner.pk)

    answer = program(acme, f"Api-Key {raw}").post(
        "/api/v1/api-keys", {"name": "heir", "scopes": ["admin"]}, content_type="application/json"
    )

    assert told(answer) == (403, "permission_denied")
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"scopes": ["read"]}, "name"),
        ({"name": "", "scopes": ["read"]}, "name"),
        ({"name": "x" * 101, "scopes": ["read"]}, "name"),
        ({"name": "ci"}, "scopes"),
        ({"name": "ci", "scopes": []}, "scopes"),
        ({"name": "ci", "scopes": "read"}, "scopes"),
        ({"name": "ci", "scopes": ["root"]}, "scopes"),
        ({"name": "ci", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "ci", "scopes": ["read"], "expires_at": "soon"}, "expires_at"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused_by_field(acme, api, wish, field):
    problem = api(acme).post("/api/v1/api-keys", wish, status=400)

    assert list(problem["errors"]) == [field]
    assert ApiKey.objects.count() == 0


def test_an_expiry_is_kept(acme, api):
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)

    shown = api(acme).post(
        "/api/v1/api-keys",
        {"name": "ci", "scopes": ["read"], "expires_at": until.isoformat()},
    )

    assert datetime.fromisoformat(shown["expires_at"]) == until


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_asks_the_database_a_fixed_number_of_times(
    acme, owner, api, rows, django_assert_max_num_queries
):
    client = api(acme)
    for _ in range(rows):
        create_key(tenant_id=acme.pk, name="ci", scopes=["read"], created_by_id=owner.pk)
    client.get("/api/v1/api-keys")

    with django_assert_max_num_queries(8) as counted:
        answer = client.get("/api/v1/api-keys")

    assert len(answer["results"]) == rows
    assert sum("tenants_apikey" in query["sql"] for query in counted.captured_queries) == 1
