"""What people do, in both languages, with the keyboard and the mouse."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.journey_steps import CDNOW, PASSWORD
from tests.pages.visits import Visit
from tests.stack import eventually

SIGN_OUT = {"en": "Sign out", "es": "Cerrar sesión"}


@pytest.mark.parametrize("language", ["en", "es"])
def test_somebody_signs_up_looks_around_imports_and_comes_back(
    visit: Callable[..., Visit], language: str, tmp_path: Path
) -> None:
    slug = f"sol-{language}"
    person = visit(language=language)
    _sign_up(person, slug, language)
    _import_some(person, slug, tmp_path)
    _import_too_many(person, slug)
    person.page.get_by_role("button", name=SIGN_OUT[language]).click()
    person.page.wait_for_url(re.compile("/login"))
    _sign_in(person, slug)
    expect(person.page.locator("nav").first).to_be_visible()


def _sign_up(person: Visit, slug: str, language: str) -> None:
    page = person.page
    person.go("", "/signup")
    assert page.locator("html").get_attribute("lang") == language
    page.locator("#id_organisation").press_sequentially("Sol Records")
    page.locator("#id_slug").fill("plaza")
    expect(page.locator("#slug-state")).not_to_be_empty()
    page.locator("#id_slug").fill(slug)
    page.locator("#id_email").fill(f"ana@{slug}.example")
    page.locator("#id_password").fill("short")
    page.locator("form[action='/signup'] button.button").click()
    expect(page.locator("[role=alert]").first).to_be_visible()
    assert page.locator("#id_slug").input_value() == slug, "what was written is kept"
    page.locator("#id_password").fill(PASSWORD)
    page.locator("input[name=plan][value=starter]").check()
    page.locator("form[action='/signup'] button.button").click()
    page.locator(f"main a[href*='//{slug}.']").first.click()
    page.wait_for_url(re.compile(f"//{slug}\\."))
    _sign_in(person, slug)


def _import_some(person: Visit, slug: str, folder: Path) -> None:
    lines = "".join(f"guest{number}@guests.example\n" for number in range(40))
    (folder / "guests.csv").write_text(f"email\n{lines}")
    person.go(slug, "/imports")
    person.page.locator("input[type=file]").set_input_files(folder / "guests.csv")
    person.page.locator("form[action='/imports'] button.button").click()
    expect(person.page.locator("table").first).to_contain_text("guests.csv")

    def is_there() -> bool:
        person.go(slug, "/contacts")
        return "guest39@guests.example" in person.page.locator("main").inner_text()

    eventually(is_there, seconds=60)


def _import_too_many(person: Visit, slug: str) -> None:
    person.go(slug, "/imports")
    person.page.locator("input[type=file]").set_input_files(CDNOW)
    person.page.locator("form[action='/imports'] button.button").click()
    expect(person.page.locator("[role=alert]").first).to_contain_text("Growth")


def _sign_in(person: Visit, slug: str) -> None:
    person.go(slug, "/login")
    person.page.locator("#id_email").fill(f"ana@{slug}.example")
    person.page.locator("#id_password").fill(PASSWORD)
    person.page.locator("#id_password").press("Enter")
    person.page.wait_for_url(re.compile(f"//{slug}\\.[^/]*/$"))


def test_a_session_that_ended_leads_back_to_where_one_was(visit: Callable[..., Visit]) -> None:
    person = visit()
    person.go("acme", "/usage")
    assert "/login" in person.page.url
    password = person.plaza.secret("PLAZA_DEMO_PASSWORD")
    person.page.locator("#id_email").fill("owner@acme.test")
    person.page.locator("#id_password").fill(password)
    person.page.locator("#id_password").press("Enter")
    person.page.wait_for_url(re.compile("/usage"))
    other = person.context.new_page()
    other.goto(person.url("acme", "/"))
    other.locator("form[action='/logout'] button").click()
    other.wait_for_url(re.compile("/login"))
    person.page.reload()
    assert "/login" in person.page.url, "the other tab signed out here too"
