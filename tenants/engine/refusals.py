"""Why the engine refuses to send a statement. Faults of ours, so they fly and alert."""

from django.db import DatabaseError, OperationalError


class TenantMismatch(DatabaseError):
    """django-tenants was asked for another schema than that of the tenant in force."""


class CrossedInTransaction(DatabaseError):
    """A transaction belongs to one place: enter the tenant or the square before it begins."""


class BuiltElsewhere(DatabaseError):
    """A queryset was built under one tenant and evaluated under another: its answer would be a lie."""


class NoOwner(OperationalError):
    """A process without the owner's sign-in (DATABASE_OWNER_URL) can neither migrate nor provision."""


class NoReplica(OperationalError):
    """There is no replica to read from; who asks finds that out first (tenants/replicas.py)."""


class NoConnectionLeft(OperationalError):
    """Every connection of this process is in use, and none came back in time."""
