"""Who gets into the console, and who does not."""

import re

import pytest

from tenants.models import Person
from tenants.services import host_of
from tests.client import PASSWORD
from tests.console.doors import LISTS, page_of, prove, sign_in
from tests.portal.browser import SQUARE, Browser, found, person_of, signed_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/console/", *LISTS])
def test_a_stranger_is_sent_to_the_operators_sign_in(db, path):
    browser = Browser(SQUARE)

    browser.get(path, status=302)

    assert browser.last["Location"].startswith("/console/login/?next=")


def test_a_member_does_not_get_in_and_an_inactive_operator_neither(acme):
    person_of(acme)
    Person.objects.create_user(
        "gone@plaza.test", PASSWORD, kind=Person.Kind.OPERATOR, is_active=False
    )

    for email in ("owner@acme.test", "gone@plaza.test"):
        browser = Browser(SQUARE)
        sign_in(browser, email, status=200)
        browser.get("/console/", status=302)


def test_a_members_session_opens_no_console_and_an_operators_no_portal(acme, operator):
    member = signed_in(acme)
    stolen = Browser(SQUARE)
    stolen.client.cookies = member.client.cookies
    stolen.get("/console/", status=302)
    other = Browser(host_of("acme"))
    other.client.cookies = operator.client.cookies

    other.get("/", status=302)

    assert other.last["Location"] == "/login"


def test_the_console_is_not_served_at_a_tenants_host(acme):
    Browser(host_of("acme")).get("/console/", status=404)


def test_guesses_at_an_operators_password_are_counted_with_those_at_other_doors(acme):
    person_of(acme)
    for _ in range(21):
        browser = Browser(SQUARE)
        browser.post(
            "/console/login/", {"username": "owner@acme.test", "password": "wrong"}, status=None
        )
        if browser.last.status_code == 429:
            break

    browser.post("/console/login/", {"username": "owner@acme.test", "password": "x"}, status=429)
    Browser(host_of("acme")).post(
        "/login", {"email": "owner@acme.test", "password": PASSWORD}, status=429
    )


def test_the_console_states_its_own_policy_and_loads_from_no_other_host(operator, acme):
    for path in ("/console/", "/console/tenants/tenant/", f"{page_of(acme)}/change/"):
        page = operator.get(path)
        policy = operator.last["Content-Security-Policy"]
        assert "script-src 'self' 'unsafe-eval';" in f"{policy};"
        assert "'unsafe-inline'" not in found(r"(script-src[^;]*)", policy)
        assert re.findall(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", page) == []
        loaded = re.findall(r'<(?:script|link|img)[^>]*\b(?:src|href)="([^"]+)"', page)
        assert [address for address in loaded if not re.match(r"/(?!/)", address)] == []


def test_an_operator_proves_a_second_factor_always(db, settings, operator):
    person = Person.objects.get(email="operator@plaza.test")
    other = Browser(SQUARE)
    sign_in(other, person.email, status=302)
    assert other.last["Location"] == "/console/second-factor/?next=%2Fconsole%2F"

    # The password alone opens nothing; nor does another's code, nor one that was used.
    other.get("/console/", status=302)
    other.get("/console/tenants/tenant/", status=302)
    other.post("/console/second-factor/", {"otp": "000000"}, status=401)
    assert "This is a demo" in other.text
    prove(other, person, status=302)
    other.get("/console/")

    settings.IS_PRODUCTION = True
    olivia = Person.objects.create_user("olivia@plaza.mx", PASSWORD, kind=Person.Kind.OPERATOR)
    real = Browser(SQUARE)
    sign_in(real, olivia.email, status=302)
    real.get("/console/second-factor/?next=//evil.example/")
    assert "This is a demo" not in real.text
    page = prove(real, olivia)
    assert len(re.findall("<li><code>[A-Z2-7-]{19}</code>", page)) == 10
    real.get("/console/")
    Browser(SQUARE).get("/console/second-factor/", status=302)


def test_a_member_reaches_no_second_step(acme):
    member = signed_in(acme)
    stolen = Browser(SQUARE)
    stolen.client.cookies = member.client.cookies
    stolen.get("/console/second-factor/", status=302)
    assert stolen.last["Location"] == "/console/login/"
