"""A connection belongs to a tenant only through here: names in context variables, which the engine obeys.

Nothing is sent by entering a context: the engine takes the right connection at the next statement
(tenants/engine/base.py). A transaction belongs to one connection, so a context is entered before it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from config.context import Place, TenantRef, at_place, bound_tenant
from tenants.models import Tenant


@contextmanager
def tenant_context(tenant: Tenant | TenantRef) -> Iterator[TenantRef]:
    """Work inside one tenant's schema, as its role."""
    ref = tenant.ref if isinstance(tenant, Tenant) else tenant
    with bound_tenant(ref), at_place(Place.STALL):
        yield ref


@contextmanager
def square_context() -> Iterator[None]:
    """Work in public alone, whatever tenant was in force."""
    with bound_tenant(None), at_place(Place.SQUARE):
        yield


@contextmanager
def on_square() -> Iterator[None]:
    """Work on the square's tables (identity, billing) for the tenant in force; a decorator too."""
    with at_place(Place.SQUARE):
        yield


@contextmanager
def lookup_context() -> Iterator[None]:
    """Read hosts, people and sessions, to find out who asks; a decorator too."""
    with at_place(Place.LOOKUP):
        yield


@contextmanager
def owner_context() -> Iterator[None]:
    """Migrate and provision through Django. Raises NoOwner in a process without DATABASE_OWNER_URL."""
    with bound_tenant(None), at_place(Place.OWNER):
        yield
