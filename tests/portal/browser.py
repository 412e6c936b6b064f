"""A person's browser over Django's test client: asks for pages, keeps cookies, sends forms with their token."""

import re
from html.parser import HTMLParser
from typing import Any

from django.test import Client

from tenants.models import Member, Tenant
from tenants.services import host_of
from tests.client import PASSWORD, member_of

SQUARE = "plaza.localhost"
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_GAPS = re.compile(r"\s+")


class Browser:
    """`get` and `post` assert the status (None: any) and return the page's HTML; `text` is what a person reads."""

    def __init__(self, host: str, *, language: str = "en") -> None:
        headers = {"Host": host, "Accept": "text/html", "Accept-Language": language}
        self.client = Client(headers=headers, enforce_csrf_checks=True)
        self.last: Any = None

    def get(self, path: str, *, status: int = 200, **headers: str) -> str:
        self.last = self.client.get(path, headers=_spelled(headers))
        return self._page(path, status)

    def post(
        self,
        path: str,
        fields: dict[str, Any] | None = None,
        *,
        status: int | None = 200,
        seen: str = "",
    ) -> str:
        """Send the form that stands on the page `seen` (`path` itself if not said)."""
        token = _TOKEN.search(self.client.get(seen or path).content.decode())
        assert token is not None, f"no form on {seen or path}"
        sent = {**(fields or {}), "csrfmiddlewaretoken": token[1]}
        self.last = self.client.post(path, sent)
        return self._page(path, status)

    def _page(self, path: str, status: int | None) -> str:
        page: str = self.last.content.decode()
        found = self.last.status_code
        assert status in {None, found}, (path, found, text(page)[:800])
        return page

    @property
    def text(self) -> str:
        return text(self.last.content.decode())

    def sign_in(self, email: str, password: str = PASSWORD, *, onward: str = "/") -> "Browser":
        self.post("/login", {"email": email, "password": password, "next": onward}, status=302)
        return self


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.silent += tag in {"script", "style", "title"}

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in {"script", "style", "title"}

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.words.append(data)


def text(page: str) -> str:
    """What is read of a page, with single spaces."""
    reader = _Words()
    reader.feed(page)
    return _GAPS.sub(" ", " ".join(reader.words)).strip()


def found(pattern: str, page: str) -> str:
    """The first group of the first match, which must be there."""
    match = re.search(pattern, page)
    assert match is not None, (pattern, page)
    return match[1]


def person_of(tenant: Tenant, role: str = "owner") -> Member:
    """The tenant's member of that role, with a password."""
    member = member_of(tenant, role)
    member.person.set_password(PASSWORD)
    member.person.save()
    return member


def signed_in(tenant: Tenant, role: str = "owner", *, language: str = "en") -> Browser:
    """A browser in which that member has signed in."""
    member = person_of(tenant, role)
    return Browser(host_of(tenant.slug), language=language).sign_in(member.person.email)


def _spelled(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
