"""The way of one person through the sign-in with a provider, browser by browser."""

from urllib.parse import urlsplit

import httpx

from tenants.identity.crossing import square_url
from tenants.identity.linking import link
from tenants.identity.openid import Identity
from tenants.models import Member
from tenants.services import address_at, host_of
from tests.tenants.identity.people import PASSWORD, browser

SUBJECT = "subject-of-ada"


class Journey:
    """One person's browser: at the tenant (by default at its subdomain), on the square, at the provider."""

    def __init__(self, tenant, subject: str = SUBJECT, *, host: str = "") -> None:
        self.host, self.subject = host or host_of(tenant.slug), subject
        self.stall, self.square = browser(host=self.host), browser()

    def to_provider(self) -> str:
        """The provider's address, as the square sends there."""
        away = self.stall.get("/login/openid", {"next": "/private"})
        assert away["Location"].startswith(square_url("/login/openid?"))
        return self.square.get(local(away["Location"]))["Location"]

    def consent(self, address: str) -> str:
        """Say yes at the provider; the address to come back by."""
        answer = httpx.post(address, data={"sub": self.subject}, timeout=10)
        assert answer.status_code == 302
        return local(answer.headers["Location"])

    def return_address(self) -> str:
        return self.consent(self.to_provider())

    def come_back(self):
        return self.square.get(self.return_address())

    def link(self, password: str = PASSWORD):
        return self.square.post("/login/openid/link", {"password": password})

    def arrive(self, answer):
        """Follow the square's redirect across."""
        assert answer.status_code == 302, answer.content
        assert answer["Location"].startswith(f"{address_at(self.host)}/login/crossing?")
        return self.stall.get(local(answer["Location"]))


def local(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"


def linked(member: Member, issuer: str, subject: str = SUBJECT) -> None:
    link(
        identity=Identity(issuer=issuer, subject=subject, email=member.person.email),
        member=member,
    )
