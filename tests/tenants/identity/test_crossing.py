"""Crossing from the square: single-use, 60 seconds, one host, one browser."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from config.needs import Role
from tenants.identity import crossing
from tenants.identity.people import add_member
from tenants.identity.refusals import NotAMember
from tenants.isolation import tenant_context
from tenants.models import CrossingCode, Member, Person
from tenants.services import host_of
from tests.tenants.identity.people import browser, program


@pytest.fixture(autouse=True)
def _provider(db, settings):
    settings.ROOT_URLCONF = "tests.tenants.identity.pages"
    settings.OPENID_ISSUER, settings.OPENID_CLIENT_ID = "https://provider.test", "plaza"


def set_out(client, came_for: str = "/private") -> str:
    """The proof that the square is shown."""
    answer = client.get("/login/openid", {"next": came_for})
    assert answer.status_code == 302
    return parse_qs(urlsplit(answer["Location"]).query)["proof"][0]


def code_for(member: Member, proof: str, now) -> str:
    return crossing.issue_code(
        person=member.person,
        tenant=member.tenant,
        host=host_of(member.tenant.slug),
        proof=proof,
        now=now,
    )


def arrive(client, code: str):
    return client.get("/login/crossing", {"code": code})


def test_a_code_opens_the_session_and_leads_where_one_came_for(acme, owner, now):
    client = browser(acme)
    code = code_for(owner, set_out(client), now)

    answer = arrive(client, code)

    assert (answer.status_code, answer["Location"]) == (302, "/private")
    assert client.get("/private").json()["member"] == str(owner.pk)
    assert not CrossingCode.objects.filter(code_hash=code).exists()


def test_a_code_crosses_once(acme, owner, now):
    client = browser(acme)
    proof = set_out(client)
    code = code_for(owner, proof, now)
    arrive(client, code)
    client.post("/leave")

    again = arrive(client, code)

    assert again.status_code == 401
    assert client.get("/private").status_code == 302


def test_a_used_code_is_refused_even_where_it_was_meant_to_be_shown(acme, owner, now):
    client = browser(acme)
    code = code_for(owner, set_out(client), now)
    with tenant_context(acme):
        journey = client.session["plaza_crossing"]
    arrive(client, code)
    client.post("/leave")
    set_out(client)
    with tenant_context(acme):
        session = client.session
        session["plaza_crossing"] = journey
        session.save()

    assert arrive(client, code).status_code == 401


def test_a_code_of_one_tenant_is_worthless_on_another_and_used_up_by_the_attempt(
    acme, globex, owner, now
):
    add_member(tenant=globex, person=owner.person, role=Role.OWNER)
    at_acme, at_globex = browser(acme), browser(globex)
    proof = set_out(at_acme)
    code = code_for(owner, proof, now)
    set_out(at_globex)
    with tenant_context(acme):
        journey = at_acme.session["plaza_crossing"]
    with tenant_context(globex):  # the very browser, by what its session knows
        session = at_globex.session
        session["plaza_crossing"] = journey
        session.save()

    assert arrive(at_globex, code).status_code == 401
    assert arrive(at_acme, code).status_code == 401
    assert at_globex.get("/private").status_code == 302


def test_a_code_sent_to_a_stranger_signs_nobody_in(acme, owner, now):
    attacker, victim = browser(acme), browser(acme)
    code = code_for(owner, set_out(attacker), now)
    set_out(victim)

    assert arrive(victim, code).status_code == 401
    assert victim.get("/private").status_code == 302


def test_a_code_without_having_set_out_is_refused(acme, owner, now):
    client = browser(acme)

    assert arrive(client, code_for(owner, "0" * 64, now)).status_code == 401


def test_a_code_lives_sixty_seconds(acme, owner, now):
    client = browser(acme)
    proof = set_out(client)

    assert arrive(client, code_for(owner, proof, now - timedelta(seconds=61))).status_code == 401


@pytest.mark.parametrize("code", ["", "x", "a" * 10_000, "\x00", "é"])
def test_what_is_no_code_is_refused(acme, code):
    client = browser(acme)
    set_out(client)

    assert arrive(client, code).status_code == 401


def test_whoever_is_no_member_gets_no_code(acme, globex, owner, now):
    with pytest.raises(NotAMember):
        crossing.issue_code(
            person=owner.person, tenant=globex, host="globex.test", proof="0" * 64, now=now
        )


@pytest.mark.parametrize(
    "leave",
    [
        lambda member: member.delete(),
        lambda member: Person.objects.filter(pk=member.person_id).update(is_active=False),
    ],
    ids=["removed", "deactivated"],
)
def test_a_code_dies_with_the_membership(acme, owner, now, leave):
    client = browser(acme)
    code = code_for(owner, set_out(client), now)
    leave(owner)

    assert arrive(client, code).status_code == 403


@pytest.mark.parametrize("came_for", ["//evil.test/", "https://evil.test/", "/\\evil.test"])
def test_a_crossing_leads_nobody_elsewhere(acme, owner, now, came_for):
    client = browser(acme)
    code = code_for(owner, set_out(client, came_for), now)

    assert arrive(client, code)["Location"] == "/"


def test_old_codes_are_forgotten_at_the_next(acme, owner, now):
    code_for(owner, "0" * 64, now - timedelta(minutes=3))
    code_for(owner, "0" * 64, now)

    assert CrossingCode.objects.count() == 1


def test_without_a_provider_there_is_no_such_page(acme, settings):
    settings.OPENID_ISSUER = ""

    assert program(acme).get("/login/openid").status_code == 404
    assert browser().get("/login/openid", {"tenant": "acme"}).status_code == 302
    assert browser().get("/login/openid", {"tenant": "acme", "proof": "0" * 64}).status_code == 404
