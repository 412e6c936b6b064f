"""The demo's people do not exist in production, though a home that was used locally may hold them."""

from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend

from tenants.models import Person, Tenant

# RFC 2606: nobody's address ends like this. The demo's people, its operator too, are under `.test`.
RESERVED_TOP_LEVELS = frozenset({"test", "example", "invalid", "localhost"})


def is_nobodys_address(email: str) -> bool:
    """Whether no mail can reach `email`, under a name that is reserved for tests."""
    return email.strip().rstrip(".").rpartition("@")[2].rpartition(".")[2].lower() in (
        RESERVED_TOP_LEVELS
    )


def is_shut_out(person: Person, *, tenant: Tenant | None = None) -> bool:
    """Whether, in production, this is somebody of a demo: by their address or by their tenant."""
    if not settings.IS_PRODUCTION:
        return False
    return is_nobodys_address(person.email) or (tenant is not None and tenant.is_demo)


class OperatorBackend(ModelBackend):
    """Django's own way in, for operators. Also asked of a session, at each request."""

    def user_can_authenticate(self, user: Any) -> bool:
        is_somebody = isinstance(user, Person) and not is_shut_out(user)
        return is_somebody and bool(super().user_can_authenticate(user))
