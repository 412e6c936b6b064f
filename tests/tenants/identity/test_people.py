"""People, members, and what they may say of themselves."""

import pytest
from django.http import HttpRequest

from config.errors import ValidationFailed
from config.needs import Role
from config.roles import BUILT_IN
from tenants.identity.people import add_member, create_person, find_person
from tenants.identity.refusals import AlreadyMember, EmailTaken, OperatorIsNoMember
from tenants.models import Member, Person
from tests.tenants.identity.people import PASSWORD, join, program, told

pytestmark = pytest.mark.django_db


def test_a_person_is_found_by_e_mail_in_any_case_and_keeps_an_argon2_hash():
    made = create_person(email=" Ada@Example.test", password=PASSWORD, name=" Ada ")

    assert find_person("ADA@example.TEST") == made
    assert (made.email, made.name, made.kind) == ("ada@example.test", "Ada", "member")
    assert made.password.startswith("argon2$argon2id$")


@pytest.mark.parametrize(
    ("email", "password", "fields"),
    [
        ("ada@example.test", "short", ["password"]),
        ("ada@example.test", "password123", ["password"]),
        ("ada.lovelace@example.test", "ada.lovelace", ["password"]),
        ("ada@example.test", "x" * 1025, ["password"]),
        ("ada", PASSWORD, ["email"]),
        ("ada@example.test\nBcc: x@y.test", PASSWORD, ["email"]),
        ("", "", ["email", "password"]),
    ],
)
def test_a_bad_e_mail_or_a_weak_password_is_refused_by_field(email, password, fields):
    with pytest.raises(ValidationFailed) as refused:
        create_person(email=email, password=password)

    assert list(refused.value.facts["errors"]) == fields
    assert Person.objects.count() == 0


def test_an_e_mail_is_taken_once():
    create_person(email="ada@example.test", password=PASSWORD)

    with pytest.raises(EmailTaken):
        create_person(email="ADA@example.test", password=PASSWORD)


def test_a_person_joins_a_tenant_once_and_several_tenants(acme, globex):
    member = join(acme)
    add_member(tenant=globex, person=member.person, role=Role.READ_ONLY)

    with pytest.raises(AlreadyMember):
        add_member(tenant=acme, person=member.person, role=Role.ADMIN)
    assert Member.objects.get(tenant=acme).role == "owner"


def test_an_operator_joins_no_tenant(acme):
    operator = create_person(email="ops@plaza.test", password=PASSWORD, kind=Person.Kind.OPERATOR)

    with pytest.raises(OperatorIsNoMember):
        add_member(tenant=acme, person=operator, role=Role.OWNER)


def test_an_operator_is_let_into_the_console_and_a_member_never(acme):
    from django.contrib.admin import site
    from django.contrib.auth import authenticate

    create_person(email="ops@plaza.test", password=PASSWORD, kind=Person.Kind.OPERATOR)
    join(acme)

    def may_enter(email: str) -> bool:
        person = authenticate(username=email, password=PASSWORD)
        assert person is not None
        request = HttpRequest()
        request.user = person
        return site.has_permission(request)

    assert may_enter("ops@plaza.test")
    Person.objects.filter(email="ada@example.test").update(is_superuser=True)
    assert not may_enter("ada@example.test")


# --- over the API -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/v1/me", "/api/v1/users/profile"])
def test_me_is_the_person_the_place_and_the_credential(acme, api, path):
    client = api(acme, "editor")

    me = client.get(path)

    assert me == {
        "id": str(client.member.person_id),
        "email": "editor@acme.test",
        "name": client.member.person.name,
        "locale": client.member.person.locale,
        "role": "editor",
        "permissions": sorted(BUILT_IN[Role.EDITOR]),
        "member_id": str(client.member.pk),
        "tenant": {
            "id": str(acme.pk),
            "slug": "acme",
            "organisation": acme.organisation,
            "status": "active",
            "locale": "en",
            "data_region": "",
        },
        "credential": {"kind": "token", "scopes": ["delete", "read", "write"]},
    }


def test_even_a_read_only_person_says_their_own_name_and_language(acme, api):
    client = api(acme, "read_only")

    me = client.patch("/api/v1/me", {"name": "Ada", "locale": "es"})

    assert (me["name"], me["locale"]) == ("Ada", "es")
    assert Person.objects.get(pk=client.member.person_id).name == "Ada"


def test_nobody_changes_anything_else_of_themselves(acme, api):
    client = api(acme, "member")
    before = Person.objects.filter(pk=client.member.person_id).values().get()

    client.patch(
        "/api/v1/me",
        {
            "id": str(acme.pk), "email": "root@plaza.test", "password": "x", "kind": "operator",
            "is_superuser": True, "is_active": False, "is_staff": True, "role": "owner",
            "groups": [1], "user_permissions": [1], "tenant": {"slug": "x"}, "member_id": "x",
            "last_login": "2020-01-01T00:00:00Z", "created_at": "2020-01-01T00:00:00Z",
        },
    )  # fmt: skip

    assert Person.objects.filter(pk=client.member.person_id).values().get() == before
    assert Member.objects.get(pk=client.member.pk).role == "member"


@pytest.mark.parametrize("wish", [{"locale": "xx"}, {"name": "x" * 201}, {"name": "a\x00b"}])
def test_a_wish_that_makes_no_sense_is_400(acme, api, wish):
    assert list(api(acme).patch("/api/v1/me", wish, status=400)["errors"]) == list(wish)


def test_a_key_says_nothing_of_its_makers_person(acme):
    from tenants.identity.keys import create_key

    owner = join(acme)
    _, raw = create_key(tenant_id=acme.pk, name="ci", scopes=["admin"], created_by_id=owner.pk)

    answer = program(acme, f"Api-Key {raw}").patch(
        "/api/v1/me", {"name": "Mallory"}, content_type="application/json"
    )

    assert told(answer) == (403, "permission_denied")


def test_the_members_are_this_tenants_alone(acme, globex, api):
    join(globex, email="stranger@example.test")
    client = api(acme, "read_only")
    ada = join(acme)

    answer = client.get("/api/v1/members")

    assert [row["id"] for row in answer["results"]] == [str(ada.pk), str(client.member.pk)]
    assert set(answer["results"][0]) == {"id", "person", "role", "created_at"}
    assert set(answer["results"][0]["person"]) == {"id", "email", "name", "locale"}


def test_the_members_come_in_pages(acme, api):
    client = api(acme)
    ids = {str(join(acme, email=f"p{index}@example.test").pk) for index in range(4)}

    first = client.get("/api/v1/members", {"limit": "3"})
    rest = client.get(first["next"])

    assert (len(first["results"]), len(rest["results"]), rest["next"]) == (3, 2, None)
    assert {row["id"] for row in first["results"] + rest["results"]} == ids | {
        str(client.member.pk)
    }


@pytest.mark.parametrize("rows", [1, 3])
def test_the_members_are_asked_for_once(acme, api, rows, django_assert_max_num_queries):
    client = api(acme)
    for index in range(rows):
        join(acme, email=f"p{index}@example.test")
    client.get("/api/v1/members")

    with django_assert_max_num_queries(8) as counted:
        answer = client.get("/api/v1/members")

    assert len(answer["results"]) == rows + 1
    listing = [
        q
        for q in counted.captured_queries
        if "ORDER BY" in q["sql"] and "tenants_member" in q["sql"]
    ]
    assert len(listing) <= 2


def test_the_roles_are_those_of_the_house(acme, api):
    roles = api(acme, "read_only").get("/api/v1/roles")["results"]

    assert [role["name"] for role in roles] == [role.value for role in Role]
    assert roles[-1] == {
        "id": None,
        "name": "read_only",
        "description": "",
        "is_built_in": True,
        "permissions": [
            *("campaigns:read", "companies:read", "contacts:read", "content:read", "deals:read"),
            *(
                "imports:read",
                "me:read",
                "me:write",
                "members:read",
                "orders:read",
                "tenant:read",
                "usage:read",
            ),
        ],
    }
