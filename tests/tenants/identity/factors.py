"""People with an authenticator app, and the ways in which they show its codes."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from tenants.identity import second_factor
from tenants.models import Person, Tenant
from tests.tenants.identity.people import PASSWORD, program


def equipped(person: Person, *, earlier: timedelta = timedelta(minutes=5)) -> list[str]:
    """Set an app up for `person`, some time ago; the recovery codes."""
    then = timezone.now() - earlier
    second_factor.begin(person=person, now=then)
    return second_factor.confirm(
        person=person, code=second_factor.code_now(person=person, now=then), now=then
    )


def code(person: Person) -> str:
    return second_factor.code_now(person=person, now=timezone.now())


def with_code(tenant: Tenant, email: str, otp: str) -> Any:
    wish = {"email": email, "password": PASSWORD, "otp": otp}
    return program(tenant).post("/api/v1/auth/token", wish, content_type="application/json")


def asked(tenant: Tenant, access: str) -> Any:
    return program(tenant, f"Bearer {access}")


def posted(client: Any, path: str, **wish: Any) -> Any:
    return client.post(f"/api/v1/me/{path}", wish, content_type="application/json")
