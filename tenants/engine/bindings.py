"""Whose a connection is: the sign-in that opens it, the role it takes, its path and its time limit.

Two ways to be a tenant (`PLAZA_DB_LOGIN`): `role`, where a shared sign-in takes the tenant's role, so
that a change of tenant is cheap; and `tenant`, a sign-in of the tenant's own, which holds even where
an attacker writes whole statements, and behind a transaction pooler.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.conf import settings
from psycopg import sql

from config.context import (
    EXTENSIONS_SCHEMA,
    PUBLIC_SCHEMA,
    NoTenant,
    Place,
    TenantRef,
    current_place,
    current_tenant,
    is_background,
    refuse_unsaid_place,
    replica_reading,
)
from tenants.engine.refusals import NoOwner, NoReplica, TenantMismatch
from tenants.roles import LOOKUP, SQUARE, password_of, quoted

_PATIENCE_OF_TASKS = 20


@dataclass(frozen=True, slots=True)
class Binding:
    """What makes a connection fit for one place; equal ones may share a connection, one after the other.

    `role` None keeps the sign-in's own. `path` are schemas in order. `most_connections` is how many
    of a process may be in use at once. 0 is no limit. `shared` tells that its sign-in serves other bindings too, so that it can be bound again.
    `on_replica` is another server, with the same roles, on which nothing is written.
    """

    user: str
    password: str = field(repr=False)
    role: str | None
    path: tuple[str, ...]
    statement_timeout_ms: int = 0
    most_connections: int = 0
    shared: bool = True
    is_owner: bool = False
    on_replica: bool = False

    def sql(self) -> bytes:
        """The settings as one message of the simple protocol. All names in it are ours."""
        names = sql.SQL(", ").join([sql.Identifier(name) for name in self.path])
        parts = [
            sql.SQL("SET TimeZone = 'UTC'"),
            sql.SQL("SET search_path = ") + names,
            sql.SQL("SET statement_timeout = {}").format(sql.Literal(self.statement_timeout_ms)),
        ]
        if self.on_replica:
            parts.append(sql.SQL("SET default_transaction_read_only = on"))
        # The role last: what comes before it must not need the tenant's rights.
        if self.role is not None:
            parts.append(sql.SQL("SET ROLE {}").format(sql.Identifier(self.role)))
        return sql.SQL("; ").join(parts).as_bytes(None)


def binding_of(asked_schema: str) -> Binding:
    """The binding in force. `asked_schema` is what django-tenants' own API asked of the connection.

    Raises TenantMismatch where the two contradict each other, NoTenant in a stall without a tenant,
    NoPlace where a process that serves tenants says nothing.
    """
    place = current_place() or _unsaid(asked_schema)
    if place is Place.STALL:
        return _tenants_binding(asked_schema)
    if place is Place.OWNER:
        return owner_binding(asked_schema)
    return lookup_binding() if place is Place.LOOKUP else square_binding()


def _unsaid(asked_schema: str) -> Place:
    """Where no context was entered: django-tenants' own schema_context, a command, a shell.

    Raises NoPlace in the web server and the workers, where it is a mistake: a thread that was started
    without its request's context would read the square's tables, and those are every tenant's.
    """
    if current_tenant() is not None or asked_schema != PUBLIC_SCHEMA:
        return Place.STALL
    refuse_unsaid_place()
    return Place.SQUARE


def _tenants_binding(asked_schema: str) -> Binding:
    tenant = current_tenant()
    if tenant is None and current_place() is None:
        return stall_binding(asked_schema)
    if tenant is None:
        raise NoTenant("No tenant is in force here.")
    if asked_schema not in {PUBLIC_SCHEMA, tenant.schema}:
        raise TenantMismatch("The connection's schema is not that of the tenant in force.")
    most = tenant.shares.connection_share if tenant.shares else None
    return stall_binding(
        tenant.schema,
        statement_timeout_ms=_timeout_of(tenant),
        most_connections=most or 0,
        on_replica=_is_read_at_replica(),
    )


def _is_read_at_replica() -> bool:
    """Only a stall that was entered by name may go there."""
    is_asked = replica_reading() is not None and current_place() is Place.STALL
    return is_asked and settings.DATABASE_REPLICA is not None


def _timeout_of(tenant: TenantRef) -> int:
    """What the tenant's plan allows a statement, else the installation; longer in a task."""
    of_plan = tenant.shares.statement_timeout_ms if tenant.shares else None
    milliseconds = settings.PLAZA_STATEMENT_TIMEOUT_MS if of_plan is None else of_plan
    return milliseconds * (_PATIENCE_OF_TASKS if is_background() else 1)


@lru_cache(maxsize=4096)
def stall_binding(
    schema: str,
    *,
    statement_timeout_ms: int = 0,
    most_connections: int = 0,
    on_replica: bool = False,
) -> Binding:
    """That of a tenant's schema, whose role has the same name."""
    quoted(schema)  # nothing but a tenant's name comes any further
    path = (schema, PUBLIC_SCHEMA, EXTENSIONS_SCHEMA)
    if settings.PLAZA_DB_LOGIN == "tenant":
        return Binding(
            schema,
            password_of(schema),
            role=None,
            path=path,
            statement_timeout_ms=statement_timeout_ms,
            most_connections=most_connections,
            shared=False,
            on_replica=on_replica,
        )
    web = settings.DATABASE_WEB
    return Binding(
        web["USER"],
        web["PASSWORD"],
        role=schema,
        path=path,
        statement_timeout_ms=statement_timeout_ms,
        most_connections=most_connections,
        on_replica=on_replica,
    )


@lru_cache(maxsize=1)
def square_binding() -> Binding:
    """Identity, billing, operators. Without a sign-in of its own it is a role that the web's takes."""
    square = settings.DATABASE_SQUARE
    role = SQUARE if square == settings.DATABASE_WEB else None
    return Binding(
        square["USER"], square["PASSWORD"], role, path=(PUBLIC_SCHEMA, EXTENSIONS_SCHEMA)
    )


@lru_cache(maxsize=1)
def lookup_binding() -> Binding:
    """Who asks? Reads only."""
    path = (PUBLIC_SCHEMA, EXTENSIONS_SCHEMA)
    if settings.PLAZA_DB_LOGIN == "tenant":
        return Binding(LOOKUP, password_of(LOOKUP), role=None, path=path, shared=False)
    web = settings.DATABASE_WEB
    return Binding(web["USER"], web["PASSWORD"], role=LOOKUP, path=path)


def owner_binding(schema: str) -> Binding:
    """The owner at any schema. Raises NoOwner."""
    owner = settings.DATABASE_OWNER
    if owner is None:
        raise NoOwner(
            "DATABASE_OWNER_URL is not set: this process neither migrates nor provisions."
        )
    path = tuple(dict.fromkeys((schema, PUBLIC_SCHEMA, EXTENSIONS_SCHEMA)))
    return Binding(
        owner["USER"], owner["PASSWORD"], role=None, path=path, shared=False, is_owner=True
    )


def parameters(binding: Binding, others: dict[str, Any]) -> dict[str, Any]:
    """How psycopg signs in as the binding's, given Django's `others`."""
    signed_in = others | {"user": binding.user, "password": binding.password}
    return signed_in | replica_address() if binding.on_replica else signed_in


def replica_address() -> dict[str, Any]:
    """Where REPLICA_DATABASE_URL is. Its roles and their passwords are the primary's. Raises NoReplica."""
    replica = settings.DATABASE_REPLICA
    if replica is None:
        raise NoReplica("REPLICA_DATABASE_URL is not set.")
    return {
        "host": replica["HOST"],
        "port": replica["PORT"],
        "dbname": replica["NAME"],
        # There is a primary to ask instead: nobody waits long for this one.
        "connect_timeout": 2,
    }
