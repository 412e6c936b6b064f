"""The console's addresses, and the way in."""

from typing import Any

from django.utils import timezone

from apps.console.urls import site
from tenants.identity import second_factor
from tenants.models import Person
from tests.client import PASSWORD
from tests.portal.browser import Browser, found

LISTS = {
    f"/console/{model._meta.app_label}/{model._meta.model_name}/": model for model in site._registry
}


def sign_in(browser: Browser, email: str, *, status: int | None) -> str:
    fields = {"username": email, "password": PASSWORD, "next": "/console/"}
    return browser.post("/console/login/", fields, status=status)


def prove(browser: Browser, operator: Person, *, status: int = 200) -> str:
    """The second step, with the code that the operator's app would show; the first time the page has recovery codes."""
    page = browser.get("/console/second-factor/")
    token = found(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    code = second_factor.code_now(person=operator, now=timezone.now())
    fields = {"otp": code, "csrfmiddlewaretoken": token, "next": "/console/"}
    browser.last = browser.client.post("/console/second-factor/", fields)
    assert browser.last.status_code == status, browser.text
    return str(browser.last.content.decode())


def page_of(row: Any) -> str:
    return f"/console/{row._meta.app_label}/{row._meta.model_name}/{row.pk}"
