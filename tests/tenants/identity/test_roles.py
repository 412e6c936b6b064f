"""Roles: permissions as they are told, a tenant's own roles, and who may give which to whom."""

from typing import Any

import pytest

from config.needs import Permission, Role
from config.roles import BUILT_IN
from tenants.models import CustomRole, Member
from tests.client import Api, member_of
from tests.factories import CustomRoleFactory, PersonFactory
from tests.portal.browser import signed_in

pytestmark = pytest.mark.django_db
SUPPORT = {"name": "support", "permissions": ["contacts:read", "orders:write", "orders:read"]}


def role_of(tenant, role: str = "read_only") -> str:
    return Member.objects.get(pk=member_of(tenant, role).pk).role_name


def test_permissions_are_listed_with_the_roles_that_have_them_and_whether_a_key_can(acme, api):
    listed = {
        row["name"]: row for row in api(acme, "read_only").get("/api/v1/permissions")["results"]
    }

    assert [*listed] == [each.value for each in Permission]
    assert listed["ownership:transfer"] | {"name": ""} == {
        "name": "", "roles": ["owner"], "is_scope": False,
    }  # fmt: skip
    assert listed["campaigns:send"]["roles"] == ["owner", "admin", "editor"]
    assert listed["pii:read"]["roles"] == [role.value for role in Role if role != "read_only"]
    assert {name for name, row in listed.items() if not row["is_scope"]} == {
        *("me:write", "roles:write", "roles:delete", "ownership:transfer", "api_keys:write"),
        "sso:write",
    }


def test_a_custom_role_is_what_its_members_may_from_the_next_request_on_and_no_more(acme, api):
    owner, other = api(acme), api(acme, "read_only")
    made = owner.post("/api/v1/roles", SUPPORT)
    given = owner.patch(f"/api/v1/members/{other.member.pk}", {"role": "support"})

    assert given["role"] == other.get("/api/v1/me")["role"] == "support"
    assert other.get("/api/v1/me")["permissions"] == sorted(
        [*SUPPORT["permissions"], "me:read", "me:write", "tenant:read"]
    )
    order = {"ordered_on": "2026-01-01", "amount": {"amount": 100, "currency": "USD"}}
    asked = [
        other.client.get("/api/v1/contacts").status_code,
        other.client.post("/api/v1/orders", order, content_type="application/json").status_code,
        other.client.get("/api/v1/campaigns").status_code,
        other.client.get("/api/v1/usage").status_code,
        signed_in(acme, "read_only").client.get("/contacts").status_code,
        signed_in(acme, "read_only").client.get("/usage").status_code,
    ]
    assert asked[0] == asked[4] == 200
    assert asked[1] in {201, 400}
    assert asked[2:4] + asked[5:] == [403, 403, 403]

    owner.patch(f"/api/v1/roles/{made['id']}", {"permissions": ["campaigns:read"]})
    assert other.client.get("/api/v1/campaigns").status_code == 200
    problem = other.get("/api/v1/contacts", status=403)
    assert (problem["needed_permission"], problem["role"]) == ("contacts:read", "support")
    assert owner.delete(f"/api/v1/roles/{made['id']}", status=409)["code"] == "role_in_use"
    owner.patch(f"/api/v1/members/{other.member.pk}", {"role": "member"})
    owner.delete(f"/api/v1/roles/{made['id']}")
    assert other.get("/api/v1/contacts")["results"] == []


def test_a_role_that_makes_no_sense_is_refused_by_field_and_a_higher_one_at_all(acme, api):
    owner, admin = api(acme), api(acme, "admin")
    owner.post("/api/v1/roles", SUPPORT)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"name": "Support"}, "name"),
        ({"name": "support"}, "name"),
        ({"name": "owner"}, "name"),
        ({"name": "x", "permissions": []}, "name permissions"),
        ({"permissions": []}, "permissions"),
        ({"permissions": ["root"]}, "permissions"),
        ({"permissions": ["ownership:transfer"]}, "permissions"),
        ({"id": 1}, "id"),
    ]
    for wish, fields in wrong:
        sent: dict[str, Any] = {"name": "other", "permissions": ["contacts:read"]} | wish
        problem = owner.post("/api/v1/roles", sent, status=400)
        assert " ".join(sorted(problem["errors"])) == fields, wish
    low = CustomRoleFactory(
        tenant=acme, name="keeper", permissions=["roles:write", "contacts:read"]
    )
    Member.objects.filter(pk=admin.member.pk).update(role="read_only", custom_role=low)
    wish = {"name": "above", "permissions": ["contacts:write"]}
    assert admin.post("/api/v1/roles", wish, status=403)["needed_permission"] == "contacts:write"
    support = CustomRole.objects.get(name="support")
    path = f"/api/v1/roles/{support.pk}"
    assert admin.patch(path, {"permissions": ["contacts:read"]}, status=403)["code"] == (
        "permission_denied"
    )
    assert CustomRole.objects.get(pk=support.pk).permissions == sorted(SUPPORT["permissions"])


def test_another_tenants_role_is_neither_seen_changed_nor_given(acme, globex, api):
    theirs, client = CustomRoleFactory(tenant=globex, name="theirs"), api(acme)
    path = f"/api/v1/roles/{theirs.pk}"

    client.get(path, status=404)
    client.patch(path, {"name": "ours"}, status=404)
    client.delete(path, status=404)
    me = api(acme, "member").member
    for role in ("theirs", str(theirs.pk), "nobody"):
        problem = client.patch(f"/api/v1/members/{me.pk}", {"role": role}, status=400)
        assert list(problem["errors"]) == ["role"]
    assert CustomRole.objects.get(pk=theirs.pk).name == "theirs"


def test_nobody_gives_a_role_or_deals_with_one_that_may_more_than_their_own(acme, api):
    ids = {role.value: member_of(acme, role.value).pk for role in Role}
    outcomes = {}
    for by in Role:
        client = api(acme, by.value)
        for target in (Role.ADMIN, Role.READ_ONLY):
            for wished in (Role.OWNER, Role.BILLING):
                sent = client.client.patch(
                    f"/api/v1/members/{ids[target]}", {"role": wished.value},
                    content_type="application/json",
                )  # fmt: skip
                if sent.status_code == 200:
                    outcomes[by.value, target.value, wished.value] = True
                    Member.objects.filter(pk=ids[target]).update(role=target)

    assert {*outcomes} == {
        *(
            ("owner", target, wished)
            for target in ("admin", "read_only")
            for wished in ("owner", "billing")
        ),
        *(("admin", target, "billing") for target in ("admin", "read_only")),
        ("billing", "read_only", "billing"),
    }


def test_the_last_owner_is_neither_lowered_nor_leaves_until_they_gave_ownership_away(acme, api):
    owner, heir = api(acme), api(acme, "member")
    own = f"/api/v1/members/{owner.member.pk}"
    assert owner.patch(own, {"role": "admin"}, status=409)["code"] == "last_owner"
    assert owner.post("/api/v1/members/leave", status=409)["code"] == "last_owner"
    assert owner.delete(own, status=409)["code"] == "last_owner"
    admin = api(acme, "admin")
    admin.post("/api/v1/ownership/transfer", {"member": str(admin.member.pk)}, status=403)
    owner.post("/api/v1/ownership/transfer", {"member": str(owner.member.pk)}, status=400)

    made = owner.post("/api/v1/ownership/transfer", {"member": str(heir.member.pk)}, status=200)

    assert (made["id"], made["role"]) == (str(heir.member.pk), "owner")
    assert (role_of(acme, "owner"), role_of(acme, "member")) == ("admin", "owner")
    owner.post("/api/v1/ownership/transfer", {"member": str(heir.member.pk)}, status=403)
    owner.post("/api/v1/members/leave", status=204)
    assert owner.get("/api/v1/me", status=401)["code"] == "token_invalid"
    assert not Member.objects.filter(pk=owner.member.pk).exists()


def test_a_key_neither_leaves_nor_gives_more_than_its_own_scopes(acme, api):
    owner = api(acme)
    key = owner.post("/api/v1/api-keys", {"name": "k", "scopes": ["members:write", "write"]})["key"]
    program = Api(acme, {"Authorization": f"Api-Key {key}"})
    target = f"/api/v1/members/{member_of(acme, 'read_only').pk}"

    assert program.patch(target, {"role": "admin"}, status=403)["code"] == "permission_denied"
    guest = {"email": "x@guests.test", "role": "owner"}
    assert program.post("/api/v1/invitations", guest, status=403)["code"] == "permission_denied"
    for path in ("members/leave", "ownership/transfer", "roles"):
        assert program.post(f"/api/v1/{path}", SUPPORT, status=403)["code"] == "permission_denied"
    assert role_of(acme) == "read_only"


def test_a_restored_or_older_reader_errs_low(acme):
    custom = CustomRoleFactory(tenant=acme, permissions=["campaigns:send", "gone:away"])
    member = Member.objects.create(
        tenant=acme, person=PersonFactory(), role="read_only", custom_role=custom
    )
    assert (member.role, member.role_name) == ("read_only", custom.name)
    assert member.permissions == {
        Permission.CAMPAIGNS_SEND, Permission.ME_READ, Permission.ME_WRITE, Permission.TENANT_READ,
    }  # fmt: skip
    assert BUILT_IN[Role.READ_ONLY] < BUILT_IN[Role.MEMBER] < BUILT_IN[Role.EDITOR]
    assert BUILT_IN[Role.EDITOR] < BUILT_IN[Role.ADMIN] < BUILT_IN[Role.OWNER]


def test_invitations_are_listed_made_sent_again_and_revoked(acme, globex, api):
    from billing.models import Invitation
    from billing.services.invitations import token_of

    owner = api(acme)
    owner.post("/api/v1/roles", SUPPORT)
    made = owner.post("/api/v1/invitations", {"email": "ana@guests.test", "role": "support"})
    path = f"/api/v1/invitations/{made['id']}"
    older = token_of(Invitation.objects.get())
    assert made["role"] == "support"
    assert owner.get("/api/v1/invitations")["results"] == [made]
    assert api(acme, "read_only").get("/api/v1/invitations")["results"][0]["email"] == (
        "a•••@guests.test"
    )
    api(acme, "editor").post(f"{path}/resend", status=403)
    api(globex).post(f"{path}/resend", status=404)
    api(globex).delete(path, status=404)

    again = owner.post(f"{path}/resend", status=200)
    newer = token_of(Invitation.objects.get())

    assert (again["id"], again["role"], newer != older) == (made["id"], "support", True)
    wish = {"token": older, "password": "a-market-square-42"}
    Api.anonymous(acme).post("/api/v1/seats/accept", wish, status=410)
    met = Api.anonymous(acme).post("/api/v1/seats/accept", wish | {"token": newer})
    assert met["role"] == "support"
    assert Member.objects.get(pk=made["id"]).role_name == "support"
    other = owner.post("/api/v1/invitations", {"email": "bob@guests.test"})
    owner.delete(f"/api/v1/invitations/{other['id']}")
    owner.delete(f"/api/v1/invitations/{other['id']}", status=404)
    assert owner.get("/api/v1/invitations")["results"] == []
    assert Invitation.objects.get(pk=other["id"]).ended_at is not None
