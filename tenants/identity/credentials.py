"""A person's own e-mail and password: forgotten, changed, and nobody else's to change.

Whichever of them changes, what was mailed before is void; a new password ends every sign-in.
"""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from config.celery import later
from config.errors import ValidationFailed
from config.logs import logger
from tenants.identity import proofs
from tenants.identity.demo import is_shut_out
from tenants.identity.people import LONGEST_PASSWORD, password_faults
from tenants.identity.refusals import EmailTaken, WrongPassword
from tenants.identity.signing_out import end_sign_ins
from tenants.models import MailedProof, Member, Person, Tenant
from tenants.trail.actions import Action
from tenants.trail.masking import masked
from tenants.trail.origin import NOBODY, Actor
from tenants.trail.recording import Change, Subject, record

log = logger(__name__)
_RESET, _CHANGE = MailedProof.Kind.PASSWORD_RESET, MailedProof.Kind.EMAIL_CHANGE


@transaction.atomic
def ask_password_reset(*, email: str, tenant: Tenant | None, now: datetime) -> None:
    """Mail a link for a new password to whoever has this address, here a member of `tenant` if one is given.

    For an address that nobody has, the same statements are sent (proofs.py).
    """
    people = Person.objects.filter(
        email=email.strip().lower(), kind=Person.Kind.MEMBER, is_active=True
    )
    if tenant is not None:
        people = people.filter(memberships__tenant=tenant)
    proofs.promise(kind=_RESET, person=people.first(), tenant=tenant, now=now)
    subject = Subject("person", "", masked(email[:254]))
    record(
        Action.RESET_ASKED,
        subject,
        tenant_id=tenant.pk if tenant else None,
        actor=NOBODY,
    )


@transaction.atomic
def reset_password(*, token: str, password: str, tenant: Tenant | None, now: datetime) -> Person:
    """The new password of whoever got `token` by mail. Every session and token of theirs ends.

    Raises ProofInvalid, and ValidationFailed for a weak password, which leaves the link good.
    """
    proof = proofs.redeem(kind=_RESET, token=token, tenant=tenant, now=now)
    person = _person_of(proof)
    _set_password(person, password, now=now)
    _note(Action.PASSWORD_CHANGED, person, tenant, Change(after={"by": "mail"}))
    return person


@transaction.atomic
def change_password(*, member: Member, present: str, password: str, now: datetime) -> None:
    """Raises WrongPassword, ValidationFailed. Every session and token of the person ends, this one too."""
    person = member.person
    prove_present(person, present)
    _set_password(person, password, now=now)
    _note(Action.PASSWORD_CHANGED, person, member.tenant, Change(after={"by": "password"}))


def prove_present(person: Person, password: str) -> None:
    """Raises WrongPassword: a session or a token alone changes no credentials."""
    if len(password) > LONGEST_PASSWORD or not person.check_password(password):
        raise WrongPassword()


@transaction.atomic
def ask_email_change(*, member: Member, present: str, email: str, now: datetime) -> None:
    """Mail a link to the new address; until it is opened nothing changes. Raises WrongPassword, ValidationFailed.

    Whether somebody has that address already is not told here.
    """
    prove_present(member.person, present)
    wanted = _checked(email)
    proofs.promise(
        kind=_CHANGE, person=member.person, tenant=member.tenant, now=now, other_email=wanted
    )
    change = Change(after={"email": wanted})
    _note(Action.EMAIL_CHANGE_ASKED, member.person, member.tenant, change)


@transaction.atomic
def confirm_email_change(*, token: str, tenant: Tenant, now: datetime) -> Person:
    """The person's new address; the old one is told. Raises ProofInvalid, EmailTaken."""
    proof = proofs.redeem(kind=_CHANGE, token=token, tenant=tenant, now=now)
    person = _person_of(proof)
    former, person.email = person.email, proof.other_email
    try:
        with transaction.atomic():
            person.save(update_fields=["email"])
    except IntegrityError as error:
        raise EmailTaken() from error
    proof.other_email = former
    proof.save(update_fields=["other_email"])
    proofs.void_all(person)
    later("tenants.tell_former_address", proof_id=str(proof.pk))
    change = Change(before={"email": former}, after={"email": person.email})
    _note(Action.EMAIL_CHANGED, person, tenant, change)
    return person


def _set_password(person: Person, password: str, *, now: datetime) -> None:
    if weak := password_faults(password, person=person):
        raise ValidationFailed(errors={"password": weak})
    person.set_password(password)
    person.save(update_fields=["password"])
    end_sign_ins(person=person, now=now)
    proofs.void_all(person)
    later("tenants.tell_of_new_password", person_id=str(person.pk))
    log.info("password.changed", extra={"person_id": str(person.pk)})


def _person_of(proof: MailedProof) -> Person:
    assert proof.person is not None  # noqa: S101 - `redeem` answers none without
    return proof.person


def _checked(email: str) -> str:
    wanted = email.strip().lower()
    try:
        validate_email(wanted)
    except ValidationError as error:
        raise ValidationFailed(errors={"email": list(error.messages)}) from error
    if is_shut_out(Person(email=wanted)):
        raise ValidationFailed(errors={"email": [_("Use an address that mail can reach.")]})
    return wanted


def _note(action: Action, person: Person, tenant: Tenant | None, change: Change) -> None:
    """At the tenant where it was done; what is done on the square stands in the operators' trail."""
    member = person.memberships.filter(tenant=tenant).first() if tenant else None
    subject = Subject("person", person.pk, masked(person.email))
    actor = Actor("person", member.pk, person_id=person.pk) if member else NOBODY
    record(action, subject, change, tenant_id=tenant.pk if tenant else None, actor=actor)
