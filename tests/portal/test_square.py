"""The square: what Plaza is and costs, and the sign-up page."""

import pytest
from django.test import Client

from billing import catalogue
from tenants.models import Person, Tenant
from tenants.services import host_of
from tests.portal.browser import SQUARE, Browser, text

pytestmark = pytest.mark.django_db
PASSWORD = "correct-horse-battery"


def wish(**changes: str) -> dict[str, str]:
    return {
        "organisation": "Corner Records",
        "slug": "records",
        "email": "owner@records.test",
        "password": PASSWORD,
        "plan": "starter",
    } | changes


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "A stall of your own on one shared square"),
        ("es", "Un puesto propio en una plaza compartida"),
    ],
)
def test_the_square_tells_every_plan_and_price_in_the_asked_language(db, language, words):
    browser = Browser(SQUARE, language=language)

    page = browser.get("/")

    assert f'<html lang="{language}">' in page
    assert words in browser.text
    for spec in catalogue.plans():
        assert f'href="/signup?plan={spec.key}"' in page
        price = spec.price(currency="USD", interval="month")
        grouped = f"{price.amount_minor // 100:,}" if price else "0"
        expected = grouped if language == "en" else grouped.replace(",", "\N{NO-BREAK SPACE}")
        assert f"USD\N{NO-BREAK SPACE}{expected}" in page or f"USD {expected}" in page


def test_each_plan_says_on_what_it_builds_and_advertises_nothing_that_it_lacks(db):
    browser = Browser(SQUARE)

    page = browser.get("/")

    free, starter, *_ = (text(part) for part in page.split('<article class="card plan')[1:])
    assert "campaigns" not in free
    assert "50 campaigns a month" in starter
    assert "Everything in Free, and: Campaigns Content studio" in starter
    assert "Everything in Scale. " in browser.text
    assert "Import a file of up to 256 MB" in browser.text
    assert "your-name.plaza.localhost:8000/login" in browser.text


def test_prices_are_told_in_the_asked_currency(db):
    browser = Browser(SQUARE)

    browser.get("/?currency=CRC")

    assert "CRC 14,900" in browser.text.replace("\N{NO-BREAK SPACE}", " ")
    browser.get("/?currency=doubloons")
    assert "USD 29" in browser.text.replace("\N{NO-BREAK SPACE}", " ")


def test_signing_up_on_the_page_makes_a_tenant_into_which_the_owner_signs_in(db):
    browser = Browser(SQUARE, language="es")

    page = browser.post("/signup", wish(), status=201)

    assert 'href="http://records.plaza.localhost:8000/login"' in page
    assert "Su puesto está abierto" in browser.text
    tenant = Tenant.objects.get(slug="records")
    assert (tenant.status, tenant.organisation, tenant.locale) == ("active", "Corner Records", "es")
    assert tenant.subscription.plan == "starter"
    home = Browser(host_of("records")).sign_in("owner@records.test", PASSWORD)
    home.get("/")
    assert "Corner Records" in home.text


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"organisation": ""}, "organisation", "This field may not be blank."),
        ({"organisation": "A\x0bB"}, "organisation", "Use printable characters on one line."),
        (
            {"slug": "Not A Label"},
            "slug",
            "Use 2 to 40 lower-case letters, digits and single hyphens.",
        ),
        ({"slug": "www"}, "slug", "This subdomain is reserved."),
        ({"slug": "acme"}, "slug", "This subdomain is taken."),
        ({"email": "nobody"}, "email", "Enter a valid email address."),
        ({"password": "short"}, "password", "This password is too short."),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_nothing_is_made(acme, changes, field, message):
    browser = Browser(SQUARE)

    page = browser.post("/signup", wish(**changes), status=400)

    beside = page.split(f'id="id_{field}_error"')[1].split("</div>")[0]
    assert message in text(beside)
    assert 'aria-invalid="true"' in page
    assert list(Tenant.objects.values_list("slug", flat=True)) == ["acme"]
    assert not Person.objects.filter(email="owner@records.test").exists()


def test_everything_that_is_wrong_is_told_at_once(acme):
    browser = Browser(SQUARE)

    browser.post("/signup", wish(email="nobody", slug="acme", password="short"), status=400)
    for message in (
        "Enter a valid email address.",
        "This subdomain is taken.",
        "This password is too short.",
    ):
        assert message in browser.text
    browser.post("/signup", wish(slug="www", password="short"), status=400)
    for message in ("This subdomain is reserved.", "This password is too short."):
        assert message in browser.text


def test_the_password_is_never_sent_back(db):
    page = Browser(SQUARE).post("/signup", wish(slug="www"), status=400)

    assert PASSWORD not in page
    assert 'value="owner@records.test"' in page


def test_a_known_e_mail_with_another_password_is_told(db):
    Browser(SQUARE).post("/signup", wish(), status=201)
    browser = Browser(SQUARE)

    browser.post("/signup", wish(slug="second", password="another-password-1"), status=400)

    assert "There is an account with this e-mail." in browser.text


@pytest.mark.parametrize(
    ("slug", "words"),
    [
        ("records", "records.plaza.localhost is free"),
        ("acme", "This subdomain is taken."),
        ("console", "This subdomain is reserved."),
        ("a b", "Use 2 to 40 lower-case letters, digits and single hyphens."),
        ("", ""),
    ],
)
def test_the_name_is_looked_up_as_one_types(acme, slug, words):
    browser = Browser(SQUARE)

    page = browser.get(f"/signup/slug?slug={slug}")

    assert text(page) == words
    assert "<html" not in page


def test_a_wanted_plan_is_chosen_beforehand(db):
    page = Browser(SQUARE).get("/signup?plan=growth")

    assert 'value="growth" checked' in page
    assert 'value="free" checked' in Browser(SQUARE).get("/signup?plan=none-such")


def test_sign_ups_of_the_page_count_with_those_of_the_api(db):
    browser = Browser(SQUARE)
    for _ in range(10):
        browser.post("/signup", wish(slug="www"), status=400)

    browser.post("/signup", wish(slug="www"), status=429)
    program = Client(headers={"Host": SQUARE})
    answer = program.post("/api/v1/signup", wish(slug="www"), content_type="application/json")

    assert answer.status_code == 429
