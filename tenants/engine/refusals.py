"""Why the engine refuses to send a statement. Faults of ours, so they fly and alert."""

from django.db import DatabaseError, OperationalError


class SearchPathNotSet(OperationalError):
    """The server did not take the search path: the statement would run on another's."""


class TenantMismatch(DatabaseError):
    """The connection points at another schema than the tenant in force."""
