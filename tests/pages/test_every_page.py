"""Every page, in both languages, light and dark, wide and narrow: fit for everybody, light, and of ours alone."""

import re
from collections.abc import Callable

import pytest

from tests.pages.visits import HEAVIEST_BYTES, Visit

OPEN = [
    ("", "/"), ("", "/signup"), ("", "/reference"), ("", "/password-reset"), ("", "/nowhere"),
    ("acme", "/login"), ("acme", "/password-reset"), ("acme", "/reference"),
    ("acme", "/errors/quota_exceeded"),
]  # fmt: skip
PRIVATE = [
    "/", "/contacts", "/contacts?q=zzz", "/imports", "/exports", "/audit", "/plan", "/usage",
    "/nowhere",
]  # fmt: skip
CONSOLE = [
    "/console/", "/console/tenants/tenant/", "/console/billing/webhookevent/",
    "/console/billing/invoice/", "/console/tenants/person/",
]  # fmt: skip
LOOKS = [
    {"language": "en", "width": 1280, "dark": False},
    {"language": "es", "width": 390, "dark": True},
]


@pytest.mark.parametrize("look", LOOKS, ids=["wide", "telephone"])
def test_an_open_page_is_fit_and_light(
    visit: Callable[..., Visit], look: dict[str, object]
) -> None:
    person = visit(**look)
    found = {f"{host}{path}": _look_at(person, host, path) for host, path in OPEN}
    assert {path: faults for path, faults in found.items() if faults} == {}


@pytest.mark.parametrize("look", LOOKS, ids=["wide", "telephone"])
def test_a_page_of_the_portal_is_fit_and_light(
    visit: Callable[..., Visit], look: dict[str, object]
) -> None:
    person = visit(**look)
    person.go("acme", "/login")
    person.page.locator("#id_email").fill("owner@acme.test")
    person.page.locator("#id_password").fill(person.plaza.secret("PLAZA_DEMO_PASSWORD"))
    person.page.locator("#id_password").press("Enter")
    person.page.wait_for_url(re.compile(r"//acme\.[^/]*/$"))
    found = {path: _look_at(person, "acme", path) for path in PRIVATE}
    assert {path: faults for path, faults in found.items() if faults} == {}


def test_a_page_of_the_console_is_fit_and_asks_nobody_else(visit: Callable[..., Visit]) -> None:
    """Heavier than ours: its frame is a library's."""
    person = visit()
    person.go("", "/console/login/")
    person.page.locator("input[name=username]").fill("operator@plaza.test")
    person.page.locator("input[name=password]").fill(person.plaza.secret("PLAZA_DEMO_PASSWORD"))
    person.page.locator("input[name=password]").press("Enter")
    person.page.wait_for_url(re.compile("/console/second-factor/"))
    person.page.locator("input[name=otp]").fill(person.page.locator("#demo-code").inner_text())
    person.page.locator("input[name=otp]").press("Enter")
    person.page.wait_for_load_state("networkidle")
    found = {}
    for path in CONSOLE:
        person.go("", path)
        found[path] = person.unfit()
    assert {path: faults for path, faults in found.items() if faults} == {}


def _look_at(person: Visit, host: str, path: str) -> list[object]:
    person.go(host, path, status=404 if path == "/nowhere" else 200)
    faults: list[object] = list(person.unfit())
    if person.bytes > HEAVIEST_BYTES:
        faults.append(f"{person.bytes} bytes")
    if (wider := person.overflow()) > 0:
        faults.append(f"{wider} pixels too wide")
    return faults
