"""The cursor that sends each statement by the extended protocol, in which nothing can be stacked.

psycopg falls back to the simple protocol where a statement has no parameters, and a server takes
several statements at once there: `… ; RESET ROLE; SELECT …`. (Its server-side cursors never do.)
"""

from typing import Any

from django.db.backends.postgresql.base import Cursor, ServerBindingCursor


class OneStatementCursor(Cursor):
    """Django's cursor; parameters are merged here, so that every form of SQL works, and sent as one statement."""

    def _execute_send(self, query: Any, *, force_extended: bool = False, **options: Any) -> None:
        send: Any = super()._execute_send  # type: ignore[misc]  # psycopg's own, unknown to Django's stubs
        send(query, force_extended=True, **options)


class PreparedCursor(ServerBindingCursor):
    """For statements that come again and again: the server keeps them parsed and planned.

    Parameters travel beside the text, so that it stays the same. A connection of a shared sign-in
    keeps them while it is its tenant's (tenants/engine/pool.py); elsewhere each is planned anew.
    """
