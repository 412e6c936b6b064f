"""What is true of every page: both languages, one host, no inline script, a strict policy, nobody else's name."""

import re
from datetime import UTC, datetime

import pytest

from tenants.isolation import tenant_context
from tenants.life import close
from tenants.services import host_of, suspend
from tests import factories
from tests.portal.browser import SQUARE, Browser, person_of, signed_in

pytestmark = pytest.mark.django_db
# Each page and words that only its Spanish (English) version has.
OF_TENANT = {
    "/": ("What to do next", "Qué hacer ahora"),
    "/contacts": ("There are no contacts yet.", "Aún no hay contactos."),
    "/imports": ("Nothing has been imported yet.", "Aún no se ha importado nada."),
    "/plan": ("Plan and limits", "Plan y límites"),
    "/usage": ("Nothing was refused in the last days.", "No se rechazó nada"),
    "/reference": ("Made from the code that enforces it.", "Generada a partir del código"),
    "/errors/": ("All error codes", "Todos los códigos de error"),
    "/errors/quota_exceeded": (
        "The plan does not allow that many.",
        "El plan no permite tantos.",
    ),
    "/no/such/page": ("Not found.", "No se encontró."),
}
OF_SQUARE = {
    "/": ("Plans and prices", "Planes y precios"),
    "/signup": ("Open your stall", "Abra su puesto"),
    "/reference": ("Made from the code that enforces it.", "Generada a partir del código"),
    "/errors/": ("All error codes", "Todos los códigos de error"),
    "/no/such/page": ("Not found.", "No se encontró."),
}


def status_of(path: str) -> int:
    return 404 if path == "/no/such/page" else 200


@pytest.mark.parametrize("path", OF_TENANT)
def test_a_page_of_a_tenant_speaks_both_languages(acme, path):
    for language, words in zip(("en", "es"), OF_TENANT[path], strict=True):
        browser = signed_in(acme, language=language)
        page = browser.get(path, status=status_of(path))
        assert f'<html lang="{language}">' in page
        assert words in browser.text


@pytest.mark.parametrize("path", OF_SQUARE)
def test_a_page_of_the_square_speaks_both_languages(db, path):
    for language, words in zip(("en", "es"), OF_SQUARE[path], strict=True):
        browser = Browser(SQUARE, language=language)
        page = browser.get(path, status=status_of(path))
        assert f'<html lang="{language}">' in page
        assert words in browser.text


def assert_strict(browser: Browser, page: str) -> None:
    """No script in the page itself, nothing from another host, and a policy that holds it to that."""
    policy = browser.last["Content-Security-Policy"]
    directives = {part.split()[0]: part.split()[1:] for part in policy.split(";")}
    assert directives["script-src"] == ["'self'"]
    assert directives["default-src"] == ["'self'"]
    assert directives["frame-ancestors"] == ["'none'"]
    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
    assert re.findall(r"\son\w+\s*=", re.sub(r">[^<]*<", "><", page)) == []
    assert re.findall(r"\sstyle\s*=", page) == []
    assert "javascript:" not in page
    loaded = re.findall(r'<(?:script|link|img|iframe|source)[^>]*\b(?:src|href)="([^"]+)"', page)
    assert loaded
    assert [address for address in loaded if not re.match(r"/(?!/)", address)] == []
    assert len(page.encode()) < 150_000


@pytest.mark.parametrize("path", [*OF_TENANT, "/login"])
def test_a_page_of_a_tenant_is_strict(acme, path):
    browser = Browser(host_of("acme")) if path == "/login" else signed_in(acme)

    assert_strict(browser, browser.get(path, status=status_of(path)))


@pytest.mark.parametrize("path", OF_SQUARE)
def test_a_page_of_the_square_is_strict(db, path):
    browser = Browser(SQUARE)

    assert_strict(browser, browser.get(path, status=status_of(path)))


@pytest.mark.parametrize("path", ["/no/such/page", "/errors/none-such", "/imports/0/row"])
def test_a_refusal_shows_its_code_and_request_id_and_no_tenants_name(acme, globex, path):
    browser = signed_in(acme)

    page = browser.get(path, status=404)

    assert "not_found" in browser.text
    assert browser.last["X-Request-ID"] in browser.text
    assert re.search("globex|t_[0-9a-f]{32}", page, re.IGNORECASE) is None


def test_a_page_refuses_an_import_of_another_tenant(acme, globex):
    with tenant_context(globex):
        job = factories.ImportFactory(file_name="canary-of-globex.csv")
    browser = signed_in(acme)

    for path in (f"/imports/{job.pk}/row", f"/imports/{job.pk}/errors"):
        assert "canary" not in browser.get(path, status=404)
    for path in (f"/imports/{job.pk}/resume", f"/imports/{job.pk}/cancel"):
        assert "canary" not in browser.post(path, status=404, seen="/")


def test_a_suspended_tenants_home_says_why_and_its_work_is_refused(acme):
    browser = signed_in(acme)
    suspend(tenant_id=acme.pk, reason="Chargebacks under review.")

    browser.get("/")
    assert "This tenant is suspended." in browser.text
    assert "Chargebacks under review." in browser.text
    browser.get("/plan")
    browser.get("/contacts", status=403)
    assert "tenant_suspended" in browser.text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("closed, and will be erased after Jan 31, 2031", "ask support to restore it")),
        ("es", ("cerrada y se borrará después del 31 ene 2031", "pida a soporte")),
    ],
)
def test_a_closed_tenants_home_says_until_when_and_how_it_is_undone(acme, language, words):
    browser = signed_in(acme)
    close(tenant_id=acme.pk, reason="Moving away.", by="test", now=datetime(2031, 1, 1, tzinfo=UTC))

    browser.get("/", Accept_Language=language)
    for each in (*words, "Moving away."):
        assert each in browser.text
    browser.get("/contacts", status=403)
    assert "tenant_closing" in browser.text


def test_a_page_that_the_plan_does_not_include_names_the_plan_that_does(acme, now):
    from quotas import entitlements

    browser = signed_in(acme)
    entitlements.grant(
        tenant_id=acme.pk, source="plan", plan="free", features=[], limits={}, rates={"tenant": (600, 60)},
        ladder={}, feature_ladder={"crm": "starter"}, now=now,
    )  # fmt: skip

    page = browser.get("/contacts", status=403)

    assert "Your plan does not include this." in browser.text
    assert "The plan Starter allows this." in browser.text
    assert 'href="/plan?wanted=starter"' in page


def test_a_moment_is_written_with_its_time_zone(acme):
    with tenant_context(acme):
        job = factories.ImportFactory(file_name="some.csv")
    browser = signed_in(acme)

    browser.get("/imports")

    assert f"{job.created_at:%b} {job.created_at.day}, {job.created_at:%Y, %H:%M} UTC" in (
        browser.text
    )


@pytest.mark.parametrize("host", [SQUARE, host_of("acme")])
def test_the_docs_say_what_they_are_and_in_which_language(acme, host):
    page = Browser(host).get("/docs")

    assert "<title>Plaza API</title>" in page
    assert '<html lang="en">' in page


def test_programs_get_problems_and_not_pages(acme):
    person_of(acme)
    browser = Browser(host_of("acme"))

    answer = browser.client.get("/contacts", headers={"Accept": "application/json"})

    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "credentials_missing"


def test_signed_in_pages_are_kept_by_no_cache(acme):
    browser = signed_in(acme)

    browser.get("/")

    assert "no-store" in browser.last["Cache-Control"]
    assert "private" in browser.last["Cache-Control"]


def test_pages_do_not_count_as_api_calls(acme, api):
    browser = signed_in(acme)
    for path in ("/", "/contacts", "/plan"):
        browser.get(path)

    usage = api(acme).get("/api/v1/usage")

    used = {meter["meter"]: meter["used"] for meter in usage["meters"]}
    assert used["api_calls"] <= 1
