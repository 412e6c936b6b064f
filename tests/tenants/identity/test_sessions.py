"""Sessions for pages: one person, one browser, one tenant."""

from copy import deepcopy
from datetime import timedelta

import pytest
from django.conf import settings as plaza
from django.contrib.sessions.models import Session

from config.needs import Role
from config.sessions import SessionStore
from tenants.identity.people import add_member
from tenants.identity.sessions import safe_next
from tenants.isolation import tenant_context
from tenants.models import Member, Person
from tests.tenants.identity.people import PASSWORD, browser, join, program, told

COOKIE = plaza.SESSION_COOKIE_NAME


@pytest.fixture(autouse=True)
def _pages(db, settings):
    settings.ROOT_URLCONF = "tests.tenants.identity.pages"


def enter(tenant, member: Member, client=None):
    """A browser that signed in by the form."""
    client = client or browser(tenant)
    answer = client.post("/door", {"email": member.person.email, "password": PASSWORD})
    assert answer.status_code == 200
    return client


def test_a_session_opens_the_pages_of_its_tenant(acme, owner):
    answer = enter(acme, owner).get("/private")

    assert answer.json() == {
        "kind": "session",
        "member": str(owner.pk),
        "tenant": str(acme.pk),
        "role": "owner",
        "user": str(owner.person_id),
    }


def test_a_session_of_one_tenant_is_worthless_on_another(acme, globex, owner):
    add_member(tenant=globex, person=owner.person, role=Role.OWNER)
    at_acme = enter(acme, owner)
    at_globex = browser(globex)
    at_globex.cookies = deepcopy(at_acme.cookies)

    answer = at_globex.get("/private")

    assert (answer.status_code, answer["Location"]) == (302, "/login?next=%2Fprivate")
    assert at_acme.get("/private").status_code == 200


def test_a_session_of_a_tenant_opens_no_console_on_the_square(acme, owner):
    operator = Person.objects.create_superuser("ops@plaza.test", PASSWORD)
    at_acme = enter(acme, owner)
    on_square = browser()
    on_square.cookies = deepcopy(at_acme.cookies)

    key = at_acme.cookies[COOKIE].value
    with tenant_context(acme):
        inside = SessionStore(key).load()

    assert inside["plaza_tenant"] == str(acme.pk)
    assert "_auth_user_id" not in inside
    assert SessionStore(key).load() == {}
    assert on_square.get("/console/").status_code != 200
    assert operator.is_staff


def test_an_operators_session_opens_nothing_at_a_tenant(acme):
    operator = Person.objects.create_superuser("ops@plaza.test", PASSWORD)
    on_square = browser()
    on_square.force_login(operator)
    at_acme = browser(acme)
    at_acme.cookies = deepcopy(on_square.cookies)

    assert at_acme.get("/private").status_code == 302
    assert at_acme.post("/leave").json()["user"] == "None"


def test_the_key_of_the_session_changes_when_somebody_signs_in(acme, owner):
    client = browser(acme)
    bob = join(acme, email="bob@example.test")
    first = enter(acme, owner, client).cookies[COOKIE].value

    second = enter(acme, bob, client).cookies[COOKIE].value

    assert first != second
    assert not Session.objects.filter(pk=first).exists()
    assert client.get("/private").json()["member"] == str(bob.pk)


def test_a_planted_session_key_is_not_kept(acme, owner):
    client = browser(acme)
    client.cookies[COOKIE] = "a" * 32

    enter(acme, owner, client)

    assert client.cookies[COOKIE].value != "a" * 32


def test_signing_out_ends_the_session_on_the_server(acme, owner):
    client = enter(acme, owner)
    key = client.cookies[COOKIE].value

    client.post("/leave")
    client.cookies[COOKIE] = key

    assert client.get("/private").status_code == 302


@pytest.mark.parametrize(
    "leave",
    [
        lambda member: member.delete(),
        lambda member: Person.objects.filter(pk=member.person_id).update(is_active=False),
        lambda member: Person.objects.filter(pk=member.person_id).update(kind="operator"),
        lambda member: Person.objects.filter(pk=member.person_id).update(password="argon2$other"),
    ],
    ids=["removed", "deactivated", "made an operator", "another password"],
)
def test_a_session_ends_when_its_member_does(acme, owner, leave):
    client = enter(acme, owner)
    leave(owner)

    assert client.get("/private").status_code == 302


def test_the_api_takes_no_session(acme, owner):
    client = enter(acme, owner)

    assert told(client.get("/api/private")) == (401, "credentials_missing")
    assert told(client.get("/api/v1/me")) == (401, "credentials_missing")


def test_a_token_opens_a_page_too(acme, owner, now):
    from tenants.identity.tokens import issue

    access = issue(member=owner, now=now).access

    assert program(acme, f"Bearer {access}").get("/private").json()["kind"] == "token"


def test_a_wrong_password_opens_nothing(acme, owner):
    client = browser(acme)

    with pytest.raises(Exception, match="invalid_credentials"):
        client.post("/door", {"email": owner.person.email, "password": "wrong"})

    assert client.get("/private").status_code == 302


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ada@example.test\x00", PASSWORD),
        ("ada@example.test", "x" * 1025),
        ("", ""),
        ("\x00", "\x00"),
    ],
)
def test_what_can_be_nobodys_is_refused_like_the_rest(acme, owner, email, password):
    client = browser(acme)

    with pytest.raises(Exception, match="invalid_credentials"):
        client.post("/door", {"email": email, "password": password})


def test_the_cookie_belongs_to_its_host_and_to_no_script(acme, owner):
    cookie = enter(acme, owner).cookies[COOKIE]

    assert (cookie["domain"], cookie["httponly"], cookie["samesite"], cookie["path"]) == (
        "",
        True,
        "Lax",
        "/",
    )


# --- what a person without a session sees -------------------------------------------------------------


def test_a_browser_is_sent_to_sign_in_and_back(acme):
    answer = browser(acme).get("/private?tab=2&x=a b")

    assert (answer.status_code, answer["Location"]) == (
        302,
        "/login?next=%2Fprivate%3Ftab%3D2%26x%3Da%2520b",
    )


def test_a_form_that_comes_too_late_is_not_come_back_to(acme):
    assert browser(acme).post("/private")["Location"] == "/login"


def test_a_part_of_a_page_sends_the_whole_page_to_sign_in(acme):
    answer = browser(acme).get(
        "/private",
        headers={
            "HX-Request": "true",
            "Accept": "*/*",
            "HX-Current-URL": "http://acme.plaza.localhost/contacts",
        },
    )

    assert answer["HX-Redirect"] == "/login?next=%2Fcontacts"


def test_a_program_is_told_401(acme):
    assert told(program(acme).get("/private")) == (401, "credentials_missing")


def test_a_public_page_knows_a_session_and_minds_no_bad_token(acme, owner):
    assert enter(acme, owner).get("/door").json()["kind"] == "session"
    assert program(acme, "Bearer nonsense").get("/door").json()["kind"] == "anonymous"
    assert browser(acme).get("/door").json()["user"] == "None"


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ("/contacts?page=2", "/contacts?page=2"),
        ("//evil.test", "/"),
        ("/\\evil.test", "/"),
        ("///evil.test", "/"),
        ("http://evil.test/", "/"),
        ("javascript:alert(1)", "/"),
        ("contacts", "/"),
        ("\t//evil.test", "/"),
        ("/\t/evil.test", "/"),
        ("", "/"),
        (None, "/"),
    ],
)
def test_after_signing_in_one_stays_on_the_host(asked, path):
    assert safe_next(asked) == path


def test_an_expired_session_is_nobodys(acme, owner, now):
    client = enter(acme, owner)
    Session.objects.update(expire_date=now - timedelta(seconds=1))

    assert client.get("/private").status_code == 302
