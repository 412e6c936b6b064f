"""Whoever comes by a tenant's own provider: the member who is linked, or a new one in a seat of their own.

The link is (tenant, issuer, subject). An e-mail address links nobody who has an account already: they prove
its password once. A session opened here is of this tenant's host, and opens nothing else.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction

from billing.models import Invitation
from billing.services.seats import seat_key
from config.ids import new_id
from config.needs import Meter, Role
from quotas import ledger
from tenants.identity.openid import Identity
from tenants.identity.people import add_member, find_person, save_new
from tenants.identity.refusals import InvalidCredentials, OpenIdRefused
from tenants.identity.sso import domains
from tenants.identity.sso.refusals import SsoAddressNotProved
from tenants.life import refuse_closing
from tenants.models import Member, Person, SsoConnection, SsoIdentity
from tenants.trail.actions import Action
from tenants.trail.recording import Change, Subject, record


class ProofNeeded(Exception):
    """Somebody has an account with this address: they must prove that they want the link."""


def member_of(found: SsoConnection, identity: Identity) -> Member | None:
    """Who is linked to this identity at this tenant."""
    row = (
        SsoIdentity.objects.select_related("member__person")
        .filter(tenant_id=found.tenant_id, issuer=identity.issuer, subject=identity.subject)
        .first()
    )
    member = row.member if row else None
    return member if member is not None and member.person.is_active else None


@transaction.atomic
def join(
    found: SsoConnection, *, identity: Identity, claims: Mapping[str, Any], now: datetime
) -> Member:
    """A new member for a new person, as the provider's groups say; a waiting invitation is taken up.

    Raises ProofNeeded where the address is somebody's, SsoAddressNotProved, TenantClosing, QuotaExceeded.
    """
    refuse_closing(found.tenant)
    if not domains.is_proved(found.tenant_id, identity.email):
        raise SsoAddressNotProved()
    if find_person(identity.email) is not None:
        raise ProofNeeded
    name = claims.get("name")
    person = Person(email=identity.email, name=name[:200] if isinstance(name, str) else "")
    person.set_unusable_password()
    return _joined(found, identity, save_new(person), claims, now)


@transaction.atomic
def link(
    found: SsoConnection, *, identity: Identity, password: str, claims: Mapping[str, Any],
    now: datetime,
) -> Member:  # fmt: skip
    """Link the account of that address once its password is proved; a stranger becomes a member too.

    Raises InvalidCredentials, SsoAddressNotProved, TenantClosing, QuotaExceeded.
    """
    refuse_closing(found.tenant)
    if not domains.is_proved(found.tenant_id, identity.email):
        raise SsoAddressNotProved()
    person = find_person(identity.email)
    is_theirs = person is not None and person.is_active and person.kind == Person.Kind.MEMBER
    if person is None or not is_theirs or not person.has_usable_password():
        make_password(password)
        raise InvalidCredentials()
    if not person.check_password(password):
        raise InvalidCredentials()
    member = Member.objects.filter(tenant_id=found.tenant_id, person=person).first()
    if member is None:
        return _joined(found, identity, person, claims, now)
    _linked(found, identity, member, now)
    return member


def role_of(found: SsoConnection, claims: Mapping[str, Any]) -> Role:
    """The first role, in the order of the roles, that one of the groups gives; else the default."""
    told = claims.get(found.role_claim) if found.role_claim else None
    groups = {told} if isinstance(told, str) else set(told) if isinstance(told, list) else set()
    given = {role for group, role in found.role_map.items() if group in groups}
    return next((role for role in Role if role in given), Role(found.default_role))


def _joined(
    found: SsoConnection, identity: Identity, person: Person, claims: Mapping[str, Any],
    now: datetime,
) -> Member:  # fmt: skip
    waiting = Invitation.objects.waiting().select_for_update()
    invited = waiting.filter(tenant=found.tenant, email=identity.email).first()
    member_id = invited.pk if invited else new_id()
    role = Role(invited.role) if invited else role_of(found, claims)
    member = add_member(
        tenant=found.tenant, person=person, role=role, member_id=member_id,
        custom_role=invited.custom_role if invited else None,
    )  # fmt: skip
    _linked(found, identity, member, now)
    if invited is not None:
        invited.accepted_at = now
        invited.save(update_fields=["accepted_at"])
        return member
    ledger.consume(
        tenant_id=found.tenant_id, meter=Meter.SEATS, quantity=1, key=seat_key(member_id), now=now
    )
    return member


def _linked(found: SsoConnection, identity: Identity, member: Member, now: datetime) -> None:
    try:
        with transaction.atomic():
            SsoIdentity.objects.create(
                tenant_id=found.tenant_id, member=member, issuer=identity.issuer,
                subject=identity.subject, created_at=now,
            )  # fmt: skip
    except IntegrityError as error:
        raise OpenIdRefused() from error
    after = {"issuer": identity.issuer}
    subject = Subject("person", member.person_id)
    record(Action.IDENTITY_LINKED, subject, Change(after=after), tenant_id=found.tenant_id)
