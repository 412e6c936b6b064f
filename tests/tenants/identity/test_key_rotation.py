"""API keys over time and place: rotated with an overlap, limited to addresses, and given one app alone."""

from datetime import UTC, datetime, timedelta

import pytest

from tenants.identity.keys import create_key, rotate_key
from tenants.models import ApiKey
from tests.client import Api, member_of
from tests.tenants.identity.people import program, told

pytestmark = pytest.mark.django_db
KEYS = "/api/v1/api-keys"


def asked(tenant, raw: str, path: str = "/api/v1/me", address: str = "127.0.0.1"):
    return program(tenant, f"Api-Key {raw}").get(path, REMOTE_ADDR=address)


def test_a_rotated_key_and_its_heir_work_side_by_side_for_the_overlap_alone(acme, api, now):
    owner, admin = api(acme), api(acme, "admin")
    wish = {"name": "shop", "scopes": ["read"], "allowed_networks": ["127.0.0.0/8"]}
    older = owner.post(KEYS, wish)

    newer = admin.post(f"{KEYS}/{older['id']}/rotate", {"overlap_seconds": 600})

    same = ("name", "scopes", "allowed_networks", "expires_at")
    assert [newer[name] for name in same] == [older[name] for name in same]
    assert (newer["replaces"], newer["created_by"]) == (older["id"], str(admin.member.pk))
    assert asked(acme, older["key"]).status_code == asked(acme, newer["key"]).status_code == 200
    row = ApiKey.objects.get(pk=older["id"])
    assert row.expires_at is not None
    assert abs(row.expires_at - datetime.now(UTC) - timedelta(seconds=600)) < timedelta(seconds=60)
    ApiKey.objects.filter(pk=row.pk).update(expires_at=now)
    assert told(asked(acme, older["key"])) == (403, "api_key_invalid")
    assert asked(acme, newer["key"]).status_code == 200
    assert owner.post(f"{KEYS}/{older['id']}/rotate", status=409)["code"] == "api_key_ended"


def test_an_overlap_lengthens_no_life_and_the_heir_lives_as_long_as_the_older_was_to(acme, now):
    me = member_of(acme).pk
    made, _ = create_key(
        tenant_id=acme.pk, name="k", scopes=["read"], created_by_id=me,
        expires_at=now + timedelta(hours=1),
    )  # fmt: skip
    life = now + timedelta(hours=1) - made.created_at

    heir, _ = rotate_key(
        tenant_id=acme.pk, key_id=made.pk, overlap=timedelta(days=1), by_id=me, now=now
    )

    assert ApiKey.objects.get(pk=made.pk).expires_at == now + timedelta(hours=1)
    assert heir.expires_at == now + life
    soon, _ = rotate_key(tenant_id=acme.pk, key_id=heir.pk, overlap=timedelta(0), by_id=me, now=now)
    assert ApiKey.objects.get(pk=heir.pk).expires_at == now
    assert soon.replaces_id == heir.pk


def test_a_key_is_refused_from_elsewhere_at_once_also_where_it_is_known(acme, api):
    owner = api(acme)
    wish = {"name": "k", "scopes": ["read"], "allowed_networks": ["192.0.2.7", "2001:db8::/32"]}
    made = owner.post(KEYS, wish)
    assert made["allowed_networks"] == ["192.0.2.7/32", "2001:db8::/32"]
    addresses = ("192.0.2.7", "192.0.2.8", "2001:db8::5", "2001:db9::5", "192.0.2.7")

    met = [asked(acme, made["key"], address=each).status_code for each in addresses]

    assert met == [200, 403, 200, 403, 200]
    refused = asked(acme, made["key"], address="192.0.2.8")
    assert told(refused) == (403, "api_key_address_refused")
    owner.patch(f"{KEYS}/{made['id']}", {"allowed_networks": ["192.0.2.0/24"]})
    assert asked(acme, made["key"], address="192.0.2.8").status_code == 200
    owner.patch(f"{KEYS}/{made['id']}", {"allowed_networks": []})
    assert asked(acme, made["key"], address="198.51.100.1").status_code == 200
    for wrong in (["nowhere"], ["192.0.2.7/24"], ["10.0.0.0/33"], [""]):
        problem = owner.post(KEYS, wish | {"allowed_networks": wrong}, status=400)
        assert list(problem["errors"]) == ["allowed_networks"], wrong


def test_scopes_of_one_app_or_one_noun_open_nothing_else(acme, api):
    paths = ("contacts", "orders", "campaigns", "usage", "members", "me", "exports")
    met = {}
    for scope in ("crm:read", "contacts:read", "campaigns:read", "read", "write"):
        key = api(acme).post(KEYS, {"name": "k", "scopes": [scope]})["key"]
        statuses = {path: asked(acme, key, f"/api/v1/{path}").status_code for path in paths}
        met[scope] = {path for path, status in statuses.items() if status == 200}
        program_of = Api(acme, {"Authorization": f"Api-Key {key}"})
        status = 201 if scope == "write" else 403
        program_of.post("/api/v1/contacts", {"first_name": "Ada"}, status=status)

    assert met == {
        "crm:read": {"contacts", "orders", "me"},
        "contacts:read": {"contacts", "me"},
        "campaigns:read": {"campaigns", "me"},
        "read": {*paths},
        "write": {"me"},
    }


def test_a_key_neither_changes_nor_rotates_itself_and_another_tenants_is_not_found(
    acme, globex, api
):
    made = api(acme).post(KEYS, {"name": "k", "scopes": ["admin"]})
    itself = Api(acme, {"Authorization": f"Api-Key {made['key']}"})
    path = f"{KEYS}/{made['id']}"

    assert itself.post(f"{path}/rotate", status=403)["code"] == "permission_denied"
    assert itself.patch(path, {"allowed_networks": []}, status=403)["code"] == "permission_denied"
    api(globex).post(f"{path}/rotate", status=404)
    api(globex).patch(path, {"allowed_networks": []}, status=404)
    assert ApiKey.objects.count() == 1
