"""In production the demo's people are nobody, by password, session, token, key or at the console."""

import pytest

from tenants.identity.demo import is_nobodys_address
from tenants.identity.keys import create_key
from tenants.models import Person, Tenant
from tests.client import PASSWORD as OPERATORS
from tests.console.doors import prove as prove_at_console
from tests.console.doors import sign_in as sign_in_at_console
from tests.portal.browser import SQUARE, Browser
from tests.tenants.identity.people import join, program, sign_in, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer(acme):
    return join(acme, email="ada@records.mx")


@pytest.mark.parametrize(
    ("email", "is_nobodys"),
    [
        ("owner@acme.test", True),
        ("operator@PLAZA.Test", True),
        ("ada@localhost", True),
        ("ada@x.invalid", True),
        ("ada@x.example", True),
        ("ada@x.test.", True),
        ("ada@example.com", False),
        ("ada@test.mx", False),
        ("test@contest", False),
        ("ada.test@x.mx", False),
        ("", False),
    ],
)
def test_an_address_of_a_reserved_name_is_nobodys(email, is_nobodys):
    assert is_nobodys_address(email) is is_nobodys


def test_a_demo_password_opens_nothing_in_production_and_a_customers_does(
    acme, owner, customer, settings
):
    demo = join(acme, email="owner@acme.test")
    assert sign_in(acme, demo.person.email).status_code == 200
    wrong = sign_in(acme, demo.person.email, "wrong-horse-battery")

    settings.IS_PRODUCTION = True

    assert told(sign_in(acme, demo.person.email)) == told(wrong) == (401, "invalid_credentials")
    assert sign_in(acme, customer.person.email).status_code == 200


def test_nobody_enters_a_demo_tenant_in_production(acme, customer, settings):
    settings.IS_PRODUCTION = True
    Tenant.objects.filter(pk=acme.pk).update(is_demo=True)

    assert told(sign_in(acme, customer.person.email)) == (401, "invalid_credentials")


def test_tokens_and_keys_of_the_demo_are_worthless_in_production(acme, settings, now):
    demo = join(acme, email="owner@acme.test")
    token = sign_in(acme, demo.person.email).json()["access"]
    _, key = create_key(tenant_id=acme.pk, name="x", scopes=["read"], created_by_id=demo.pk)
    credentials = (f"Bearer {token}", f"Api-Key {key}")
    for credential in credentials:
        assert program(acme, credential).get("/api/v1/usage").status_code == 200

    settings.IS_PRODUCTION = True

    for credential in credentials:
        assert program(acme, credential).get("/api/v1/usage").status_code == 401


def test_a_session_of_the_demo_is_worthless_in_production(acme, settings):
    join(acme, email="owner@acme.test")
    browser = Browser("acme.plaza.localhost").sign_in("owner@acme.test", "correct-horse-battery")
    browser.get("/")

    settings.IS_PRODUCTION = True

    browser.get("/", status=302)
    assert browser.last["Location"] == "/login"


def test_the_demos_operator_is_nobody_in_production_and_another_is(db, settings):
    people = [
        Person.objects.create_user(email, OPERATORS, kind=Person.Kind.OPERATOR)
        for email in ("operator@plaza.test", "olivia@plaza.mx")
    ]
    before, browser, other = Browser(SQUARE), Browser(SQUARE), Browser(SQUARE)
    sign_in_at_console(before, "operator@plaza.test", status=302)
    prove_at_console(before, people[0])
    before.get("/console/")

    settings.IS_PRODUCTION = True

    before.get("/console/", status=302)
    sign_in_at_console(browser, "operator@plaza.test", status=200)
    assert "Please enter the correct" in browser.text
    browser.get("/console/", status=302)
    sign_in_at_console(other, "olivia@plaza.mx", status=302)
    prove_at_console(other, people[1])
    other.get("/console/")
