"""The console's addresses, and the way in."""

from typing import Any

from apps.console.urls import site
from tests.client import PASSWORD
from tests.portal.browser import Browser

LISTS = {
    f"/console/{model._meta.app_label}/{model._meta.model_name}/": model for model in site._registry
}


def sign_in(browser: Browser, email: str, *, status: int | None) -> str:
    fields = {"username": email, "password": PASSWORD, "next": "/console/"}
    return browser.post("/console/login/", fields, status=status)


def page_of(row: Any) -> str:
    return f"/console/{row._meta.app_label}/{row._meta.model_name}/{row.pk}"
