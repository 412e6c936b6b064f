"""Nobody deals with a role that may more than they may themselves."""

from collections.abc import Set as AbstractSet

from config.errors import PermissionDenied
from config.needs import Permission
from tenants.models import Member


def refuse_above(by: Member, permissions: AbstractSet[Permission]) -> None:
    """Raise PermissionDenied, with what `by` lacks, where `permissions` are not all theirs."""
    lacking = sorted(permissions - by.permissions)
    if lacking:
        raise PermissionDenied(needed_permission=lacking[0], role=by.role)
