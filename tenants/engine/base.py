"""Django looks for `DatabaseWrapper` here: django-tenants' backend, made to fail closed.

Where a statement runs is decided by context variables (tenants/isolation.py), read at each statement,
so that threads, async code and tasks cannot get another's connection. django-tenants sets a path and
runs the statement even when that failed; here a connection is bound when it is taken from the pool,
or it is not taken.
"""

from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.postgresql.base import Cursor
from django.db.backends.postgresql.psycopg_any import IsolationLevel
from django_tenants.postgresql_backend.base import DatabaseWrapper as TenantsWrapper

from config.context import PUBLIC_SCHEMA, Place, current_place, current_tenant, replica_reading
from tenants.engine.bindings import Binding, binding_of, owner_binding, parameters
from tenants.engine.cursors import OneStatementCursor, PreparedCursor
from tenants.engine.operations import DatabaseOperations
from tenants.engine.pool import Opener, Pool, Pooled, pool_of
from tenants.engine.refusals import CrossedInTransaction
from tenants.engine.writes import WriteMarks, is_plain_read

# Done in the transaction; what it returns is done right after the commit, and sends no statement.
LastWork = Callable[[], Callable[[], None]]
_PREPARED = "plaza prepared"


class DatabaseWrapper(TenantsWrapper):  # type: ignore[misc]
    """One thread's way to the database: at most one connection at a time, and the right one."""

    ops_class = DatabaseOperations

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._asked_schema = PUBLIC_SCHEMA
        self._pooled: Pooled | None = None
        self._marks = WriteMarks()
        self._before_commit: dict[UUID, LastWork] = {}
        super().__init__(*args, **kwargs)
        if settings.DATABASE_REPLICA is not None:
            self.execute_wrappers.append(self._mark_write)

    # --- django-tenants' own API stays usable -----------------------------------------------------

    @property
    def schema_name(self) -> str:
        """The schema in force: the tenant's at its stall, public at the square; else what was asked."""
        place, tenant = current_place(), current_tenant()
        if tenant is not None and place in {Place.STALL, None}:
            return tenant.schema
        if place in {Place.SQUARE, Place.LOOKUP}:
            return PUBLIC_SCHEMA
        return self._asked_schema

    @schema_name.setter
    def schema_name(self, schema: str | None) -> None:
        tenant = current_tenant()
        # What is in force anyway must not outlive the context.
        is_in_force = tenant is not None and tenant.schema == schema
        self._asked_schema = PUBLIC_SCHEMA if is_in_force else schema or PUBLIC_SCHEMA

    def _handle_search_path(self, cursor: Any = None) -> None:
        """Nothing to do with each cursor: the connection was bound when it was taken."""

    # --- the connection ---------------------------------------------------------------------------

    def ensure_connection(self) -> None:
        self.leave_wrong_connection()
        super().ensure_connection()

    def connect(self) -> None:
        """Take a connection from the pool. What Django does to a new one is done once in its life."""
        with self.wrap_database_errors:
            self._pooled = pooled = self._take(self.wanted_binding(), self._open)
        if pooled.is_initialised:
            self._take_up(pooled.connection)
            return
        super().connect()
        pooled.is_initialised = True

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Django's connect() asks for one: it is that which `connect` has taken."""
        self.isolation_level = IsolationLevel.READ_COMMITTED
        return self._pooled.connection if self._pooled else None

    def _open(self, binding: Binding) -> Any:
        factory = Cursor if binding.is_owner else OneStatementCursor
        given = parameters(binding, self.get_connection_params()) | {"cursor_factory": factory}
        # For `prepared_cursor` alone: cursors that merge their parameters prepare nothing. Behind a
        # transaction pooler, for which sign-ins of the tenants' own are, nothing can stay prepared.
        keeps_statements = binding.shared and not binding.is_owner
        given["prepare_threshold"] = 0 if keeps_statements else None
        return self.Database.connect(**given)

    def prepared_cursor(self) -> Any:
        """A cursor for a statement of the hot paths, which the server shall keep planned.

        Its text must name every type that the parameters do not tell, and select columns cast to
        types: a plan of columns that a migration changed would be refused.
        """
        return self._cursor(_PREPARED)

    def create_cursor(self, name: str | None = None) -> Any:
        if name is _PREPARED:
            return cast("Any", PreparedCursor)(self.connection)
        return super().create_cursor(name)

    def _take_up(self, connection: Any) -> None:
        """What Django's connect() resets on the wrapper, without what it does to the connection."""
        self.connection = connection
        self.autocommit = True
        self.in_atomic_block = self.needs_rollback = False
        self.closed_in_transaction = self.errors_occurred = False
        self.savepoint_ids: list[str | None] = []
        self.atomic_blocks: list[Any] = []
        self.run_on_commit: list[Any] = []
        self.rollback_exc = self.close_at = None

    def _take(self, wanted: Binding, open_new: Opener) -> Pooled:
        reading = replica_reading() if wanted.on_replica else None
        if reading is None:
            return self._pool().take(wanted, open_new)
        try:
            taken = self._pool().take(wanted, open_new)
        except self.Database.OperationalError:
            reading.is_unreachable = True
            raise
        reading.has_read = True
        return taken

    def wanted_binding(self) -> Binding:
        """Whose connection the next statement needs. Without a database (tests make one) it is the owner's."""
        if self.alias == NO_DB_ALIAS:
            return owner_binding(PUBLIC_SCHEMA)
        return binding_of(self._asked_schema)

    def leave_wrong_connection(self) -> None:
        """Give the connection back when it is not that of the place in force. Raises CrossedInTransaction."""
        if self._pooled is None or self.connection is None:
            return
        if self._pooled.binding == self.wanted_binding():
            return
        if self.in_atomic_block or not self._pooled.connection.autocommit:
            raise CrossedInTransaction(
                f"A transaction at {self._pooled.binding.path[0]} cannot go on at another place."
            )
        self.close()

    def on_commit(self, func: Callable[[], Any], robust: bool = False) -> None:  # noqa: FBT001, FBT002 (Django's)
        """Call `func` after the commit, for the tenant and at the place in force now, not then."""
        super().on_commit(partial(copy_context().run, func), robust=robust)

    def close_if_unusable_or_obsolete(self) -> None:
        """At both ends of a request: the connection goes back to the pool, which looks after it."""
        if not self.in_atomic_block:
            self.close()
            # What was asked for one request is not the next one's.
            self._asked_schema = PUBLIC_SCHEMA

    def _close(self) -> None:
        self._before_commit = {}
        pooled, self._pooled = self._pooled, None
        if pooled is not None:
            with self.wrap_database_errors:
                self._pool().give_back(pooled)
        self._marks.settle()

    # --- the moment of a tenant's last write, for those who would read from the replica --------------

    def mark_write(self, tenant_id: UUID) -> None:
        """Tell that what this connection does now changes what this tenant reads (a webhook, for one)."""
        if settings.DATABASE_REPLICA is not None:
            self._marks.begin(tenant_id)

    def _mark_write(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: Any, context: Any
    ) -> Any:
        """Before each statement: a tenant's write is marked before it can be seen."""
        tenant_id = self._tenant_of_writes()
        if tenant_id is not None and not is_plain_read(sql):
            self._marks.begin(tenant_id)
        return execute(sql, params, many, context)

    def _tenant_of_writes(self) -> UUID | None:
        if self._pooled is None or self._pooled.binding.on_replica:
            return None
        tenant, schema = current_tenant(), self._pooled.binding.path[0]
        if tenant is not None:
            return tenant.id
        # django-tenants' own API names a schema alone, whose name is the tenant's id.
        return UUID(schema.removeprefix("t_")) if schema.startswith("t_") else None

    # --- the last work of a transaction -------------------------------------------------------------

    def before_commit(self, tenant_id: UUID, work: LastWork) -> None:
        """Do `work` as the last thing before this transaction commits; once for each tenant.

        So the locks that it takes are held for the commit alone, and taken in one order by everybody.
        """
        self._before_commit.setdefault(tenant_id, work)

    def _commit(self) -> None:
        last, self._before_commit = self._before_commit, {}
        try:
            afterwards = [last[tenant_id]() for tenant_id in sorted(last)]
        except BaseException:
            # Django rolls back for the database's errors alone. After any other (a task whose time is over)
            # the transaction would stay open, and what comes next on this connection would be lost with it.
            super()._rollback()
            raise
        self._marks.renew()
        super()._commit()
        for work in afterwards:
            work()

    def _rollback(self) -> None:
        self._before_commit = {}
        super()._rollback()

    def _pool(self) -> Pool:
        name = str(self.settings_dict["NAME"] or "postgres")
        return pool_of(name, int(self.settings_dict["POOL_SIZE"]))
