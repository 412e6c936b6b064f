"""Nobody deals with a role that may more than they may themselves."""

from collections.abc import Set as AbstractSet
from typing import Protocol

from config.errors import PermissionDenied
from config.needs import Permission


class Holder(Protocol):
    """A member or a caller."""

    @property
    def permissions(self) -> frozenset[Permission]: ...

    @property
    def role_name(self) -> str: ...


def refuse_above(by: Holder, permissions: AbstractSet[Permission]) -> None:
    """Raise PermissionDenied, with the first that `by` lacks, where `permissions` are not all theirs."""
    lacking = sorted(permissions - by.permissions)
    if lacking:
        raise PermissionDenied(needed_permission=lacking[0], role=by.role_name)
