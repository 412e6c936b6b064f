"""Who signs in, in these tests: people with a password, at one tenant or at two."""

from typing import Any

from django.conf import settings
from django.test import Client

from config.needs import Role
from tenants.identity.people import add_member, create_person
from tenants.models import Member, Tenant
from tenants.services import host_of

PASSWORD = "correct-horse-battery"


def join(tenant: Tenant, *, email: str = "ada@example.test", role: Role = Role.OWNER) -> Member:
    """A new person with PASSWORD and a place in `tenant`."""
    return add_member(
        tenant=tenant, person=create_person(email=email, password=PASSWORD), role=role
    )


def browser(tenant: Tenant | None = None, *, host: str = "", **headers: str) -> Client:
    """A browser with its own cookies, at `host`, else at the tenant's subdomain or on the square."""
    host = host or (host_of(tenant.slug) if tenant else settings.PLAZA_DOMAIN)
    return Client(headers={"Host": host, "Accept": "text/html", **headers})


def program(tenant: Tenant, authorization: str | None = None) -> Client:
    """A client of the tenant's API."""
    headers = {"Host": host_of(tenant.slug)}
    if authorization is not None:
        headers["Authorization"] = authorization
    return Client(headers=headers)


def told(answer: Any) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, answer.json()["code"]


def sign_in(tenant: Tenant, email: str, password: str = PASSWORD, path: str = "token") -> Any:
    return program(tenant).post(
        f"/api/v1/auth/{path}",
        {"email": email, "password": password},
        content_type="application/json",
    )
