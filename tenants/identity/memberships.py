"""Who has which role in a tenant. A tenant is never left without an owner."""

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from config.errors import NotFound, PermissionDenied, ValidationFailed
from config.needs import Permission, Role
from tenants.identity.people import members_of
from tenants.identity.ranks import refuse_above
from tenants.identity.refusals import LastOwner
from tenants.identity.roles import GivenRole, role_named
from tenants.models import Member
from tenants.trail.actions import Action
from tenants.trail.masking import masked
from tenants.trail.recording import Change, Subject, record


def lock_owners(tenant_id: UUID) -> list[UUID]:
    """Their ids. Locked together, so that two of them cannot remove or lower each other at once."""
    owners = Member.objects.select_for_update().filter(tenant_id=tenant_id, role=Role.OWNER)
    return list(owners.order_by("pk").values_list("pk", flat=True))


def find_member(*, tenant_id: UUID, member_id: UUID) -> Member:
    """With person and role. Raises NotFound."""
    found = members_of(tenant_id).filter(pk=member_id).first()
    if found is None:
        raise NotFound()
    return found


@transaction.atomic
def give_role(*, tenant_id: UUID, member_id: UUID, role: str, by: Member) -> Member:
    """Let the member have the role of this name, from their next request on.

    Raises NotFound, ValidationFailed, PermissionDenied where either role may more than `by`, LastOwner.
    """
    owners = lock_owners(tenant_id)
    member = lock_member(tenant_id, member_id)
    given = role_named(tenant_id, role)
    refuse_above(by, member.permissions)
    refuse_above(by, given.permissions)
    if owners == [member.pk] and given.role is not Role.OWNER:
        raise LastOwner()
    _give(member, given, Action.MEMBER_ROLE_CHANGED)
    return member


@transaction.atomic
def transfer_ownership(*, tenant_id: UUID, to_id: UUID, by: Member) -> Member:
    """Make another member the owner in place of `by`, who is an admin from then on.

    Raises NotFound, ValidationFailed for oneself, PermissionDenied for who is no owner (any more).
    """
    if by.pk not in lock_owners(tenant_id):
        raise PermissionDenied(needed_permission=Permission.OWNERSHIP_TRANSFER, role=by.role_name)
    if to_id == by.pk:
        raise ValidationFailed(errors={"member": [_("Name another member.")]})
    heir = lock_member(tenant_id, to_id)
    if not heir.person.is_active:
        raise NotFound()
    _give(heir, GivenRole(Role.OWNER), Action.OWNERSHIP_TRANSFERRED)
    _give(lock_member(tenant_id, by.pk), GivenRole(Role.ADMIN), Action.MEMBER_ROLE_CHANGED)
    return heir


def lock_member(tenant_id: UUID, member_id: UUID) -> Member:
    """For the rest of the transaction. Raises NotFound."""
    rows = members_of(tenant_id).select_for_update(of=("self",))
    found = rows.filter(pk=member_id).first()
    if found is None:
        raise NotFound()
    return found


def _give(member: Member, given: GivenRole, action: Action) -> None:
    before = {"role": member.role_name}
    member.role, member.custom_role = given.role, given.custom
    member.save(update_fields=["role", "custom_role"])
    subject = Subject("member", member.pk, masked(member.person.email))
    change = Change(before=before, after={"role": member.role_name})
    record(action, subject, change, tenant_id=member.tenant_id)
