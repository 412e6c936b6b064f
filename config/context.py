"""The tenant, the place and the request of this moment, in context variables: true in threads, async and Celery alike."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar
from uuid import UUID

PUBLIC_SCHEMA = "public"
EXTENSIONS_SCHEMA = "ext"
Value = TypeVar("Value")


class NoTenant(RuntimeError):
    """Work that belongs to a tenant was started without one: a fault of ours, never the client's."""


class CrossedContexts(RuntimeError):
    """Contexts of tenants were not left in the order in which they were entered: a generator holds one open."""


class NoPlace(RuntimeError):
    """A process that serves tenants touched a store without saying where, like a thread without its starter's context."""


@dataclass(frozen=True, slots=True)
class Shares:
    """What a tenant may take of the machine; None is the installation's default (of storage: no limit)."""

    statement_timeout_ms: int | None = None
    connection_share: int | None = None
    worker_slots: int | None = None
    storage_limit_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class TenantRef:
    """What every layer may know of a tenant. `schema` is opaque and never shown to a customer.

    `shares` None is what nobody granted anything to, like the tenants of a test. `region` is where its
    data lies, empty where regions are not told apart.
    """

    id: UUID
    slug: str
    schema: str
    shares: Shares | None = None
    region: str = ""


class Place(Enum):
    """Where statements run, and so with whose rights (tenants/engine/bindings.py).

    STALL: the tenant's own schema and role. SQUARE: the public tables, for identity, billing and
    operators. LOOKUP: reading hosts, people and sessions before the tenant is known. OWNER: migrating.
    """

    STALL = "stall"
    SQUARE = "square"
    LOOKUP = "lookup"
    OWNER = "owner"


class _InForce(Generic[Value]):
    """Values entered and not yet left, of which the last is in force.

    Each leaves by itself: in whatever order generators let go of theirs, nothing that was left comes
    back, as it would where each puts back what it found.
    """

    def __init__(self, name: str) -> None:
        # An entry is a list, so that equal ones are told apart.
        self._entered: ContextVar[tuple[list[Value], ...]] = ContextVar(name, default=())

    def get(self) -> Value | None:
        entered = self._entered.get()
        return entered[-1][0] if entered else None

    @contextmanager
    def entered(self, value: Value) -> Iterator[None]:
        """Raises CrossedContexts where it is left before what was entered after it."""
        mine = [value]
        self._entered.set((*self._entered.get(), mine))
        try:
            yield
        finally:
            entered = self._entered.get()
            self._entered.set(tuple(each for each in entered if each is not mine))
            if not entered or entered[-1] is not mine:
                raise CrossedContexts("A tenant's context was left out of order.")


_tenant: _InForce[TenantRef | None] = _InForce("plaza_tenant")
# Nobody waits for a task: its statements may take longer than a request's.
_is_background: ContextVar[bool] = ContextVar("plaza_background", default=False)
_place: _InForce[Place] = _InForce("plaza_place")
_replica_reading: ContextVar["ReplicaReading | None"] = ContextVar("plaza_replica", default=None)
_request_id: ContextVar[str] = ContextVar("plaza_request_id", default="")
# Of the process, not of a context: a thread that was started without one must be refused too.
_serving = False


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
    """Name the tenant of this context. `tenants.isolation` calls it; others use `tenant_context`.

    Raises CrossedContexts where it is left before what was entered after it.
    """
    with _tenant.entered(tenant):
        yield


def current_place() -> Place | None:
    """The place in force, or None where nobody said one (a command, a shell): the engine takes the square."""
    return _place.get()


@contextmanager
def at_place(place: Place) -> Iterator[None]:
    """Run statements at `place`; a decorator too. Whose work it is (`current_tenant`) stays as it is.

    It must be entered before the transaction, which belongs to one connection.
    """
    with _place.entered(place):
        yield


def begin_serving() -> None:
    """Tell that this process answers for many tenants: from now on a place must be said (NoPlace).

    The web server and the workers call it. A command or a shell has one person at it, and the square.
    """
    global _serving  # noqa: PLW0603 (said once, at the start)
    _serving = True


def is_serving() -> bool:
    """Whether this process answers for many tenants."""
    return _serving


def refuse_unsaid_place() -> None:
    """Raise NoPlace where a process that serves tenants says neither tenant nor place."""
    if _serving and _place.get() is None and _tenant.get() is None:
        raise NoPlace(
            "No place is in force here. Enter one (tenants/isolation.py), and start threads in a copy"
            " of the context: contextvars.copy_context().run."
        )


def whose() -> str:
    """The opaque id of the tenant in force, 32 hexadecimal digits, or "square". Raises NoPlace."""
    refuse_unsaid_place()
    tenant = _tenant.get()
    return tenant.id.hex if tenant else "square"


@dataclass(slots=True)
class ReplicaReading:
    """Work whose reads at the stall go to the replica, and what the engine has to tell of it.

    `has_read`: a connection to the replica was taken. `is_unreachable`: none could be opened.
    """

    has_read: bool = False
    is_unreachable: bool = False


def replica_reading() -> ReplicaReading | None:
    """The reading in force, or None: then everything is the primary's."""
    return _replica_reading.get()


@contextmanager
def reading_from_replica() -> Iterator[ReplicaReading]:
    """Read the tenant's rows at the replica. It holds at `Place.STALL` alone, where nothing can be written then.

    Like a place it must be entered before a transaction. Who may: `tenants.replicas`.
    """
    reading = ReplicaReading()
    token = _replica_reading.set(reading)
    try:
        yield reading
    finally:
        _replica_reading.reset(token)


def is_background() -> bool:
    """Whether a task is being done, not a request."""
    return _is_background.get()


@contextmanager
def in_background() -> Iterator[None]:
    token = _is_background.set(True)
    try:
        yield
    finally:
        _is_background.reset(token)


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
