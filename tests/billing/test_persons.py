"""A person sees all that is kept of them, and is erased from every tenant and table by one word."""

import pytest
from django.db import connection

from billing.models import Invitation
from config.needs import Role
from tenants.identity.people import add_member
from tenants.models import Member, Person
from tests import factories
from tests.client import member_of

pytestmark = pytest.mark.django_db
PATH = "/api/v1/me/personal-data"


@pytest.fixture
def ada(acme, globex) -> Person:
    """A member of both tenants, with a key, a mail, an identity and an invitation elsewhere."""
    for tenant in (acme, globex):
        member_of(tenant)
    member = member_of(acme, "editor")
    person = member.person
    add_member(tenant=globex, person=person, role=Role.MEMBER)
    factories.ApiKeyFactory(tenant=acme, created_by=member, name="ada's")
    factories.MailFactory(tenant=acme, person=person)
    factories.PersonIdentityFactory(person=person, subject="ada-at-issuer")
    factories.InvitationFactory(tenant=factories.TenantFactory(), email=person.email)
    return person


def public_rows() -> str:
    """Every row of the square as text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows = []
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM public."{table}" t')
            rows += [row[0] for row in cursor.fetchall()]
    return "\n".join(rows)


def test_who_is_erased_is_a_member_nowhere_and_in_no_row_and_others_stay(acme, globex, api, ada):
    client = api(acme, "editor")
    data = client.get(PATH)
    assert data["person"]["email"] == ada.email == "editor@acme.test"
    assert {row["tenant__slug"] for row in data["memberships"]} == {"acme", "globex"}
    assert [row["name"] for row in data["api_keys"]] == ["ada's"]
    assert [len(data[name]) for name in ("identities", "mails")] == [1, 1]

    assert client.post(PATH, {"email": "owner@acme.test"}, status=400)["errors"].keys() == {"email"}
    others = Person.objects.exclude(pk=ada.pk).count()
    client.post(PATH, {"email": "Editor@acme.test"}, status=200)

    everything = public_rows()
    for trace in (ada.email, "ada-at-issuer", "ada's"):
        assert trace not in everything
    assert Member.objects.filter(person_id=ada.pk).count() == 0
    assert Person.objects.count() == others
    (invitation,) = Invitation.objects.all()
    assert invitation.ended_at is not None
    client.get("/api/v1/me", status=401)


def test_the_last_owner_and_a_program_erase_nobody(acme, api):
    owner = api(acme)
    key = owner.post("/api/v1/api-keys", {"name": "k", "scopes": ["admin"]})["key"]
    program = type(owner)(acme, {"Authorization": f"Api-Key {key}"})
    program.get(PATH, status=403)
    program.post(PATH, {"email": "owner@acme.test"}, status=403)
    assert owner.post(PATH, {"email": "owner@acme.test"}, status=409)["code"] == "last_owner"
    owner.get("/api/v1/me")
