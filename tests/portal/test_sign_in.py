"""In and out of the portal: who gets in where, and where they land."""

import pytest

from tenants.models import Person
from tenants.services import host_of
from tests.client import PASSWORD
from tests.portal.browser import Browser, person_of, signed_in

pytestmark = pytest.mark.django_db


def test_a_stranger_is_sent_to_sign_in_and_then_on_to_where_they_were_going(acme):
    person_of(acme)
    browser = Browser(host_of("acme"))

    browser.get("/contacts?search=ana", status=302)
    assert browser.last["Location"] == "/login?next=%2Fcontacts%3Fsearch%3Dana"
    page = browser.get(browser.last["Location"])
    assert 'name="next" value="/contacts?search=ana"' in page
    browser.sign_in("owner@acme.test", onward="/contacts?search=ana")
    assert browser.last["Location"] == "/contacts?search=ana"


@pytest.mark.parametrize(
    "hostile",
    [
        "//evil.test/",
        "https://evil.test/",
        "/\\evil.test",
        "javascript:alert(1)",
        "\t//evil.test",
        "evil",
    ],
)
def test_a_sign_in_sends_nobody_elsewhere(acme, hostile):
    person_of(acme)
    browser = Browser(host_of("acme"))

    browser.sign_in("owner@acme.test", onward=hostile)

    assert browser.last["Location"] == "/"


def test_a_wrong_password_and_an_unknown_person_read_alike_and_open_nothing(acme):
    person_of(acme)
    browser = Browser(host_of("acme"))
    answers = [
        browser.post("/login", {"email": email, "password": "not-the-password"}, status=401)
        and browser.text
        for email in ("owner@acme.test", "nobody@acme.test")
    ]

    assert "The e-mail or the password is wrong." in answers[0]
    assert answers[0] == answers[1]
    browser.get("/", status=302)


def test_a_member_of_another_tenant_does_not_get_in(acme, globex):
    person_of(globex)

    Browser(host_of("acme")).post(
        "/login", {"email": "owner@globex.test", "password": PASSWORD}, status=401
    )


def test_the_session_of_another_tenant_opens_nothing_here(acme, globex):
    theirs = signed_in(globex)
    theirs.get("/")
    ours = Browser(host_of("acme"))
    ours.client.cookies = theirs.client.cookies

    ours.get("/", status=302)
    assert ours.last["Location"] == "/login"
    page = ours.get("/login")
    assert "globex" not in page.lower()


def test_signing_out_forgets_the_session_on_the_server_too(acme):
    browser = signed_in(acme)
    kept = browser.client.cookies["plaza"].value

    browser.post("/logout", status=302, seen="/")
    assert browser.last["Location"] == "/login"
    browser.client.cookies["plaza"] = kept
    browser.get("/", status=302)


def test_signing_out_by_a_link_is_refused(acme):
    browser = signed_in(acme)

    browser.get("/logout", status=405)
    assert browser.last["Allow"] == "POST"
    browser.get("/")


def test_a_form_without_its_token_is_refused(acme):
    person_of(acme)
    browser = Browser(host_of("acme"))

    browser.last = browser.client.post("/login", {"email": "owner@acme.test", "password": PASSWORD})

    assert browser.last.status_code == 403
    assert "This form has expired." in browser.text
    browser.get("/", status=302)


def test_whoever_is_signed_in_does_not_see_the_sign_in_again(acme):
    browser = signed_in(acme)

    browser.get("/login?next=/plan", status=302)
    assert browser.last["Location"] == "/plan"


def test_too_many_wrong_passwords_are_refused_with_the_time_to_wait(acme):
    person_of(acme)
    browser = Browser(host_of("acme"))
    wrong = {"email": "owner@acme.test", "password": "wrong-password"}

    # Windows are fixed, so that a minute may end in between: then the count begins anew, once.
    for _ in range(21):
        browser.post("/login", wrong, status=None)
        if browser.last.status_code == 429:
            break

    browser.post("/login", wrong | {"password": PASSWORD}, status=429)
    assert 1 <= int(browser.last["Retry-After"]) <= 60
    assert "Too many requests." in browser.text


def test_a_language_that_was_chosen_stays_and_follows_the_person(acme):
    browser = signed_in(acme)
    assert "What to do next" in (browser.get("/") and browser.text)

    browser.post("/i18n/setlang", {"language": "es", "next": "/plan"}, status=302, seen="/")
    assert browser.last["Location"] == "/plan"
    browser.get("/plan")
    assert "Plan y límites" in browser.text
    assert Person.objects.get(email="owner@acme.test").locale == "es"
    elsewhere = Browser(host_of("acme")).sign_in("owner@acme.test")
    elsewhere.get("/")
    assert "Qué hacer ahora" in elsewhere.text


@pytest.mark.parametrize("hostile", ["https://evil.test/", "//evil.test/"])
def test_choosing_a_language_sends_nobody_elsewhere(acme, hostile):
    browser = signed_in(acme)

    browser.post("/i18n/setlang", {"language": "es", "next": hostile}, status=302, seen="/")

    assert browser.last["Location"] == "/"
