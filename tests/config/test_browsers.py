"""Pages have everything that Django's checks ask for; the API has the headers and none of the rest."""

import pytest
from django.test import Client

from tenants.services import host_of

pytestmark = pytest.mark.django_db
_HEADERS = ("X-Frame-Options", "Content-Security-Policy")


def test_a_page_gets_a_token_and_refuses_a_form_without_it(acme):
    client = Client(enforce_csrf_checks=True, headers={"Host": host_of(acme.slug)})

    page = client.get("/login", headers={"Accept": "text/html"})
    refused = client.post("/login", {"email": "a@b.test"}, headers={"Accept": "text/html"})

    assert (page.status_code, refused.status_code) == (200, 403)
    assert "plaza-csrf" in page.cookies
    assert hasattr(page.wsgi_request, "session")
    assert hasattr(page.wsgi_request, "htmx")


def test_an_answer_of_the_api_has_a_pages_headers_and_no_cookie(acme, api):
    client = api(acme)
    page = client.client.get("/login", headers={"Accept": "text/html"})

    client.get("/api/v1/tags")

    told = [client.last.headers[name] for name in _HEADERS]
    rules = [sorted(page.headers[name].split("; ")) for name in _HEADERS]
    assert [sorted(each.split("; ")) for each in told] == rules
    assert not client.last.cookies
    assert not hasattr(client.last.wsgi_request, "session")
