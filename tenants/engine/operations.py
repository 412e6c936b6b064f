"""Refuses a queryset that was built under one tenant and is evaluated under another."""

from typing import Any

from django.db.backends.postgresql.operations import DatabaseOperations as PostgresOperations

from config.context import current_tenant
from tenants.engine.refusals import BuiltElsewhere


class DatabaseOperations(PostgresOperations):
    """Django's, asked for a compiler whenever a query becomes SQL: the moment to look whose it is."""

    def compiler(self, compiler_name: str) -> Any:
        made = super().compiler(compiler_name)
        return _checked(made)

    def last_executed_query(self, cursor: Any, sql: Any, params: Any) -> str:
        """For Django's log of queries: of a prepared statement the text alone was sent, and that once."""
        return str(super().last_executed_query(cursor, sql, params) or sql)


_checked_kinds: dict[type, type] = {}


def _checked(kind: type) -> type:
    """The compiler class that looks at the tenant first."""
    found = _checked_kinds.get(kind)
    if found is None:

        def as_sql(self: Any, *args: Any, **options: Any) -> Any:
            refuse_foreign(self.query)
            return kind.as_sql(self, *args, **options)  # type: ignore[attr-defined]

        found = _checked_kinds[kind] = type(kind.__name__, (kind,), {"as_sql": as_sql})
    return found


def refuse_foreign(query: Any) -> None:
    """Raise BuiltElsewhere unless the tenant in force is that under which `query` was built.

    `built_for` is set by tenants.querysets, and only on queries of tenants' tables.
    """
    built_for = getattr(query, "built_for", None)
    if built_for is None:
        return
    tenant = current_tenant()
    if tenant is None or tenant.id != built_for:
        raise BuiltElsewhere("A queryset was built under another tenant than that in force.")
