"""A tenant's roles: those that every tenant has, and sets of permissions that it made itself."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from config.errors import NotFound, ValidationFailed
from config.needs import Permission, Role
from config.roles import BUILT_IN
from tenants.identity.ranks import refuse_above
from tenants.identity.refusals import RoleInUse
from tenants.models import CustomRole, Member
from tenants.trail.actions import Action
from tenants.trail.recording import Change, Subject, record

_MOST_ROLES = 50
# Ownership is had by owners, who can do everything, and is given by transfer.
_GIVABLE = frozenset(Permission) - {Permission.OWNERSHIP_TRANSFER}


@dataclass(frozen=True, slots=True)
class GivenRole:
    """What a name stands for: a built-in role, or a custom one beside the least built-in."""

    role: Role
    custom: CustomRole | None = None

    @property
    def permissions(self) -> frozenset[Permission]:
        return self.custom.granted if self.custom else BUILT_IN[self.role]


def role_named(tenant_id: UUID, name: str) -> GivenRole:
    """The role of this name there. Raises ValidationFailed."""
    if name in set(Role):
        return GivenRole(Role(name))
    custom = roles_of(tenant_id).filter(name=name).first()
    if custom is None:
        raise ValidationFailed(errors={"role": [_("There is no such role.")]})
    return GivenRole(Role.READ_ONLY, custom)


def roles_of(tenant_id: UUID) -> QuerySet[CustomRole]:
    """The custom ones, by name."""
    return CustomRole.objects.filter(tenant_id=tenant_id).order_by("name")


def find_role(*, tenant_id: UUID, role_id: UUID) -> CustomRole:
    """Raises NotFound."""
    found = roles_of(tenant_id).filter(pk=role_id).first()
    if found is None:
        raise NotFound()
    return found


@transaction.atomic
def create_role(*, tenant_id: UUID, wish: dict[str, Any], by: Member) -> CustomRole:
    """A role from `{name, description, permissions}`.

    Raises PermissionDenied for permissions that `by` lacks, ValidationFailed.
    """
    granted = _checked(wish["permissions"], by)
    if roles_of(tenant_id).count() >= _MOST_ROLES:
        raise ValidationFailed(errors={"name": [_("There are %d roles; no more.") % _MOST_ROLES]})
    made = CustomRole(tenant_id=tenant_id, **(wish | {"permissions": granted}))
    _save(made)
    _record(Action.ROLE_CREATED, made, Change(after=_told(made)))
    return made


@transaction.atomic
def change_role(*, tenant_id: UUID, role_id: UUID, wish: dict[str, Any], by: Member) -> CustomRole:
    """Give it other permissions or another name: holds for its members' next requests.

    Raises NotFound, PermissionDenied for permissions, old or new, that `by` lacks, ValidationFailed.
    """
    role = _locked(tenant_id, role_id)
    refuse_above(by, role.granted)
    before = _told(role)
    if "permissions" in wish:
        wish = wish | {"permissions": _checked(wish["permissions"], by)}
    for field, value in wish.items():
        setattr(role, field, value)
    _save(role)
    _record(Action.ROLE_CHANGED, role, Change(before=before, after=_told(role)))
    return role


@transaction.atomic
def delete_role(*, tenant_id: UUID, role_id: UUID, by: Member) -> None:
    """Raises NotFound, PermissionDenied for permissions that `by` lacks, RoleInUse while members have it.

    Who is invited with it comes as the least role.
    """
    role = _locked(tenant_id, role_id)
    refuse_above(by, role.granted)
    holders = Member.objects.filter(custom_role=role).count()
    if holders:
        raise RoleInUse(members=holders)
    _record(Action.ROLE_DELETED, role, Change(before=_told(role)))
    role.delete()


def _locked(tenant_id: UUID, role_id: UUID) -> CustomRole:
    role = CustomRole.objects.select_for_update().filter(tenant_id=tenant_id, pk=role_id).first()
    if role is None:
        raise NotFound()
    return role


def _checked(names: Collection[str], by: Member) -> list[str]:
    """The permissions as they are kept. Nobody makes a role that may more than they."""
    unknown = sorted({*names} - _GIVABLE)
    if unknown or not names:
        allowed = ", ".join(sorted(_GIVABLE))
        raise ValidationFailed(errors={"permissions": [_("One or more of: %s.") % allowed]})
    refuse_above(by, {Permission(name) for name in names})
    return sorted({*names})


def _save(role: CustomRole) -> None:
    try:
        with transaction.atomic():
            role.save()
    except IntegrityError as error:
        raise ValidationFailed(errors={"name": [_("There is a role of this name.")]}) from error


def _told(role: CustomRole) -> dict[str, Any]:
    return {"name": role.name, "permissions": role.permissions}


def _record(action: Action, role: CustomRole, change: Change) -> None:
    record(action, Subject("role", role.pk, role.name), change, tenant_id=role.tenant_id)
