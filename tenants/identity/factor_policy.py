"""Who must have a second factor at a tenant: everybody, or members of some roles. Programs' keys have none."""

from collections.abc import Callable, Collection
from typing import Any, TypeVar

from django.db import transaction
from django.utils.translation import gettext as _

from config.errors import ValidationFailed
from config.needs import Role
from tenants.identity.caller import Caller
from tenants.identity.refusals import SecondFactorRequired
from tenants.models import CustomRole, Member, Tenant
from tenants.trail.actions import Action
from tenants.trail.recording import Change, Subject, record

EVERYBODY = "*"
View = TypeVar("View", bound=Callable[..., Any])


def asks(tenant: Tenant, member: Member) -> bool:
    """Whether `tenant` asks this member, by their role, for a second factor."""
    return _is_among(member, tenant.second_factor_roles)


def before_second_factor(view: View) -> View:
    """A page that somebody needs in order to set one up, or to leave."""
    view.before_second_factor = True  # type: ignore[attr-defined]
    return view


def refuse_without(
    view: Callable[..., Any], *, tenant: Tenant, caller: Caller, member: Member
) -> None:
    """Raise SecondFactorRequired where the tenant asks this person for one that they did not prove."""
    if not caller.is_person or caller.has_second_factor:
        return
    holder = getattr(view, "cls", None) or getattr(view, "view_class", None) or view
    if asks(tenant, member) and not getattr(holder, "before_second_factor", False):
        raise SecondFactorRequired()


@transaction.atomic
def require_of(*, tenant: Tenant, roles: Collection[str], by: Member, has_proved: bool) -> None:
    """Ask members of these roles (`*`, built-in names, ids of custom ones) for one, from their next request on.

    Raises ValidationFailed for what is no role here, and SecondFactorRequired where whoever decides it
    would shut themselves out.
    """
    wanted = sorted(set(roles))
    custom = CustomRole.objects.filter(tenant_id=tenant.pk).values_list("pk", flat=True)
    if not {EVERYBODY, *Role, *map(str, custom)}.issuperset(wanted):
        raise ValidationFailed(errors={"second_factor_roles": [_("There is no such role.")]})
    if _is_among(by, wanted) and not has_proved:
        raise SecondFactorRequired()
    before = list(tenant.second_factor_roles)
    Tenant.objects.filter(pk=tenant.pk).update(second_factor_roles=wanted)
    change = Change(before={"roles": before}, after={"roles": wanted})
    record(Action.SECOND_FACTOR_ASKED, Subject("tenant", tenant.pk), change, tenant_id=tenant.pk)


def _is_among(member: Member, roles: Collection[str]) -> bool:
    # A custom role by its id: a new name does not let its members off.
    its = str(member.custom_role_id) if member.custom_role_id else member.role
    return not {EVERYBODY, its}.isdisjoint(roles)
