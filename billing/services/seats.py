"""Seats: reserved with an invitation, kept by whoever accepts it, freed by removing either.

A seat is one unit of the meter `seats` under the key `member:<id>`; an invitation's id becomes the
member's, so that it counts once however often a step is taken. The condition is the ledger's UPDATE:
of many who invite at once for the last seat, one gets it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from billing.models import Invitation, Subscription, SubscriptionChange
from billing.services.granting import bought_seats
from billing.services.terms import present_terms
from billing.services.wishes import open_change
from config.celery import later
from config.errors import NotFound, ValidationFailed
from config.logs import logger
from config.needs import Meter
from quotas import entitlements, ledger
from quotas.periods import EPOCH
from tenants.identity.demo import is_shut_out
from tenants.identity.memberships import lock_member, lock_owners
from tenants.identity.people import find_person, members_of, remove_member
from tenants.identity.ranks import refuse_above
from tenants.identity.refusals import AlreadyMember, LastOwner
from tenants.identity.roles import GivenRole, role_named
from tenants.life import refuse_closing
from tenants.models import Member, Person, Tenant
from tenants.trail.actions import Action
from tenants.trail.masking import masked
from tenants.trail.recording import Change, Subject, record

log = logger(__name__)
INVITATION_HOLDS = timedelta(days=7)
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Guest:
    """Whom to invite, with the role of which name."""

    email: str
    role: str


@transaction.atomic
def invite(*, tenant_id: UUID, guest: Guest, by: Member, now: datetime) -> Invitation:
    """Reserve a seat and promise the mail with the link. Again: the same seat, a new link, a new week.

    Raises TenantClosing, PermissionDenied for a role above one's own, AlreadyMember, QuotaExceeded.
    """
    tenant = Tenant.objects.get(pk=tenant_id)
    refuse_closing(tenant)
    given = role_named(tenant_id, guest.role)
    refuse_above(by, given.permissions)
    email = _checked(guest)
    if members_of(tenant_id).filter(person__email=email).exists():
        raise AlreadyMember()
    invitation, is_new = Invitation.objects.waiting().select_for_update().get_or_create(
        tenant=tenant,
        email=email,
        defaults={
            "role": given.role, "custom_role": given.custom, "invited_by": by, "accepted_at": None, "ended_at": None,
            "created_at": now, "sent_at": now, "expires_at": now + INVITATION_HOLDS,
        },
    )  # fmt: skip
    if not is_new:
        _renew(invitation, given, by, now)
    ledger.consume(
        tenant_id=tenant_id, meter=Meter.SEATS, quantity=1, key=seat_key(invitation.pk), now=now
    )
    _promise(invitation)
    return invitation


@transaction.atomic
def resend(*, tenant_id: UUID, invitation_id: UUID, by: Member, now: datetime) -> Invitation:
    """A new link for a new week; the older one holds no more.

    Raises TenantClosing, NotFound unless it waits, PermissionDenied for a role above one's own.
    """
    refuse_closing(Tenant.objects.get(pk=tenant_id))
    invitation = _waiting(tenant_id, invitation_id)
    given = role_named(tenant_id, invitation.role_name)
    refuse_above(by, given.permissions)
    _renew(invitation, given, by, now)
    _promise(invitation)
    return invitation


@transaction.atomic
def revoke(*, tenant_id: UUID, invitation_id: UUID, now: datetime) -> None:
    """End it: its link opens nothing, and its seat is free. Raises NotFound unless it waits."""
    end(_waiting(tenant_id, invitation_id), now)


def _waiting(tenant_id: UUID, invitation_id: UUID) -> Invitation:
    rows = Invitation.objects.waiting().select_for_update()
    found = rows.filter(tenant_id=tenant_id, pk=invitation_id).first()
    if found is None:
        raise NotFound()
    return found


def _promise(invitation: Invitation) -> None:
    _record(Action.MEMBER_INVITED, invitation, Change(after={"role": invitation.role_name}))
    later("billing.send_invitation", invitation_id=str(invitation.pk))
    log.info("seat.reserved", extra={"invitation_id": str(invitation.pk)})


def _record(action: Action, invitation: Invitation, change: Change) -> None:
    subject = Subject("invitation", invitation.pk, masked(invitation.email))
    record(action, subject, change, tenant_id=invitation.tenant_id)


def seat_key(member_id: UUID) -> str:
    """The ledger's key of a member's seat."""
    return f"member:{member_id}"


def _checked(guest: Guest) -> str:
    """The address to write to."""
    email = guest.email.strip().lower()
    if is_shut_out(Person(email=email)):
        raise ValidationFailed(errors={"email": [_("Use an address that mail can reach.")]})
    found = find_person(email)
    if found is not None and found.kind != Person.Kind.MEMBER:
        raise ValidationFailed(errors={"email": [_("Use another address.")]})
    return email


def _renew(invitation: Invitation, given: GivenRole, by: Member, now: datetime) -> None:
    invitation.role, invitation.custom_role = given.role, given.custom
    invitation.invited_by = by
    invitation.sent_at, invitation.expires_at = now, now + INVITATION_HOLDS
    invitation.save()


@transaction.atomic
def free(*, tenant_id: UUID, seat_id: UUID, by: Member, now: datetime) -> None:
    """End an invitation, or remove a member with their keys and sign-ins. Harmless twice at once.

    Raises NotFound, PermissionDenied for a role above one's own, LastOwner.
    """
    waiting = Invitation.objects.waiting().select_for_update().filter(tenant_id=tenant_id)
    invitation = waiting.filter(pk=seat_id).first()
    if invitation is not None:
        end(invitation, now)
        return
    _remove(tenant_id, seat_id, by)
    _give_back(tenant_id, seat_id, now)
    log.info("seat.freed", extra={"member_id": str(seat_id)})


def _remove(tenant_id: UUID, member_id: UUID, by: Member) -> None:
    owners = lock_owners(tenant_id)
    member = lock_member(tenant_id, member_id)
    refuse_above(by, member.permissions)
    if owners == [member.pk]:
        raise LastOwner()
    record(
        Action.MEMBER_REMOVED,
        Subject("member", member.pk, masked(member.person.email)),
        Change(before={"role": member.role_name}),
        tenant_id=tenant_id,
    )
    remove_member(member)


def end(invitation: Invitation, now: datetime) -> None:
    """End one that waits, and give its seat back."""
    invitation.ended_at = now
    invitation.save(update_fields=["ended_at"])
    _give_back(invitation.tenant_id, invitation.pk, now)
    _record(Action.INVITATION_ENDED, invitation, Change(before={"role": invitation.role_name}))
    log.info("invitation.ended", extra={"invitation_id": str(invitation.pk)})


def _give_back(tenant_id: UUID, seat_id: UUID, now: datetime) -> None:
    ledger.refund(
        tenant_id=tenant_id, meter=Meter.SEATS, quantity=1, key=seat_key(seat_id), now=now
    )


def expire_invitations(*, now: datetime) -> int:
    """Free the seats of invitations that nobody accepted in time; how many that were."""
    due = Invitation.objects.run_out(now).values_list("pk", flat=True)[:_BATCH]
    return sum(_expire(pk, now) for pk in list(due))


@transaction.atomic
def _expire(pk: UUID, now: datetime) -> bool:
    due = Invitation.objects.run_out(now).select_for_update(skip_locked=True)
    invitation = due.filter(pk=pk).first()
    if invitation is not None:
        end(invitation, now)
    return invitation is not None


@dataclass(frozen=True, slots=True)
class Seats:
    """`allowed` and `left` None: no limit. `paid` are those bought above the plan's own. `pending` waits."""

    allowed: int | None
    paid: int
    taken: int
    left: int | None
    invitations: list[Invitation]
    pending: SubscriptionChange | None = None


def seats_of(tenant_id: UUID, *, now: datetime) -> Seats:
    """How many seats there are, how many of them are taken, and by which guests."""
    found = entitlements.snapshot(tenant_id, now=now)
    allowed = found.limit(Meter.SEATS)
    taken = ledger.used_in(tenant_id, Meter.SEATS, EPOCH)
    waiting = Invitation.objects.waiting().filter(tenant_id=tenant_id).order_by("-pk")
    waiting = waiting.select_related("custom_role")
    row = Subscription.objects.filter(tenant_id=tenant_id).first()
    return Seats(
        allowed=allowed,
        paid=_paid_seats(row),
        taken=taken,
        left=None if allowed is None else max(0, allowed - taken),
        invitations=list(waiting[:_BATCH]),
        pending=open_change(row) if row else None,
    )


def _paid_seats(row: Subscription | None) -> int:
    terms = present_terms(row) if row else None
    return bought_seats(terms) if terms else 0
