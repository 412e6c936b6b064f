"""One lasting connection of the owner for each thread, whose search path follows the tenant, as django-tenants does."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.base import DatabaseWrapper as PostgresWrapper

from tenants.engine.base import DatabaseWrapper as PlazaWrapper
from tenants.engine.bindings import owner_binding, parameters

DjangosWrapper: Any = PostgresWrapper


class DatabaseWrapper(PlazaWrapper):
    """No roles, no pool, the simple protocol: the path alone tells tenants apart."""

    _path = ""

    def ensure_connection(self) -> None:
        BaseDatabaseWrapper.ensure_connection(self)

    def connect(self) -> None:
        BaseDatabaseWrapper.connect(self)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        self._path = ""
        return DjangosWrapper.get_new_connection(
            self, parameters(owner_binding("public"), conn_params)
        )

    def _cursor(self, name: str | None = None) -> Any:
        self.ensure_connection()
        wanted = self.wanted_binding().path[0]
        if wanted != self._path:
            self.connection.execute(f'SET search_path = "{wanted}", public, ext')
            self._path = wanted
        return super()._cursor(name)

    def _close(self) -> None:
        DjangosWrapper._close(self)

    def close_if_unusable_or_obsolete(self) -> None:
        BaseDatabaseWrapper.close_if_unusable_or_obsolete(self)
