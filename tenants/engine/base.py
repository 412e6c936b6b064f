"""Django looks for `DatabaseWrapper` here. The policy is in tenants/isolation.py."""

from typing import Any

from django_tenants.postgresql_backend.base import DatabaseWrapper as TenantsWrapper
from psycopg.pq import TransactionStatus

from config.context import EXTENSIONS_SCHEMA, current_tenant
from tenants.engine.refusals import SearchPathNotSet, TenantMismatch


class DatabaseWrapper(TenantsWrapper):  # type: ignore[misc]
    """No path, no query: django-tenants swallows a failing SET search_path and runs the statement anyway."""

    def _get_cursor_search_paths(self) -> list[str]:
        # Not by PG_EXTRA_SEARCH_PATHS: django-tenants would ask the database while Django starts.
        return [*super()._get_cursor_search_paths(), EXTENSIONS_SCHEMA]

    def _handle_search_path(self, cursor: Any = None) -> None:
        tenant = current_tenant()
        if tenant is not None and self.schema_name != tenant.schema:
            raise TenantMismatch("The connection's schema is not that of the tenant in force.")
        if self._setting_search_path:  # the cursor that carries the SET itself
            return
        super()._handle_search_path(cursor)
        aborted = (
            self.connection is not None
            and self.connection.info.transaction_status == TransactionStatus.INERROR
        )
        # In an aborted transaction only ROLLBACK runs, which needs no path.
        if self.search_path_set_schemas is None and not aborted:
            raise SearchPathNotSet("The search path could not be set; nothing was asked.")
