"""The tenant and the request of this moment, in context variables: true in threads, async and Celery alike."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID

PUBLIC_SCHEMA = "public"
EXTENSIONS_SCHEMA = "ext"


class NoTenant(RuntimeError):
    """Work that belongs to a tenant was started without one: a fault of ours, never the client's."""


@dataclass(frozen=True, slots=True)
class TenantRef:
    """What every layer may know of a tenant. `schema` is opaque and never shown to a customer."""

    id: UUID
    slug: str
    schema: str


_tenant: ContextVar[TenantRef | None] = ContextVar("plaza_tenant", default=None)
_request_id: ContextVar[str] = ContextVar("plaza_request_id", default="")


def current_tenant() -> TenantRef | None:
    """The tenant in force, or None on the square."""
    return _tenant.get()


def require_tenant() -> TenantRef:
    """The tenant in force. Raises NoTenant on the square."""
    tenant = _tenant.get()
    if tenant is None:
        raise NoTenant("No tenant is in force here.")
    return tenant


@contextmanager
def bound_tenant(tenant: TenantRef | None) -> Iterator[None]:
    """Name the tenant of this context. `tenants.isolation` calls it; others use `tenant_context`."""
    token = _tenant.set(tenant)
    try:
        yield
    finally:
        _tenant.reset(token)


def request_id() -> str:
    """The id of the request (or of the task's first request) being served, or an empty string."""
    return _request_id.get()


@contextmanager
def bound_request_id(value: str) -> Iterator[None]:
    token = _request_id.set(value)
    try:
        yield
    finally:
        _request_id.reset(token)
