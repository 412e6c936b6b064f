"""People are global (one e-mail, many tenants); members belong to a tenant."""

from collections.abc import Collection
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from config.context import require_tenant
from config.errors import ValidationFailed
from config.ids import new_id
from config.needs import Role
from tenants.identity.demo import is_shut_out
from tenants.identity.refusals import AlreadyMember, EmailTaken, OperatorIsNoMember
from tenants.models import CustomRole, Member, Person, Tenant
from tenants.trail.actions import Action
from tenants.trail.masking import masked
from tenants.trail.recording import Change, Subject, record

LONGEST_PASSWORD = 1024


def create_person(
    *,
    email: str,
    password: str,
    name: str = "",
    kind: str = Person.Kind.MEMBER,
    locale: str = "",
) -> Person:
    """A new person. Raises ValidationFailed for a bad e-mail or a weak password, and EmailTaken."""
    person = new_person(email=email, password=password, name=name, kind=kind, locale=locale)
    return save_new(person)


def new_person(
    *,
    email: str,
    password: str,
    name: str = "",
    kind: str = Person.Kind.MEMBER,
    locale: str = "",
) -> Person:
    """A person who is not saved yet: the slow hash is made before a transaction holds anything.

    Raises ValidationFailed for a bad e-mail or a weak password.
    """
    person = Person(email=email.strip().lower(), name=name.strip(), kind=kind, locale=locale)
    _check(person, password)
    person.set_password(password)
    return person


def save_new(person: Person) -> Person:
    """Save whom `new_person` made. Raises EmailTaken."""
    try:
        with transaction.atomic():
            person.save(force_insert=True)
    except IntegrityError as error:
        raise EmailTaken() from error
    return person


def _check(person: Person, password: str) -> None:
    wrong: dict[str, list[str]] = {}
    try:
        validate_email(person.email)
    except ValidationError as error:
        wrong["email"] = list(error.messages)
    if is_shut_out(person) and "email" not in wrong:
        wrong["email"] = [_("Use an address that mail can reach.")]
    if weak := password_faults(password, person=person):
        wrong["password"] = weak
    if wrong:
        raise ValidationFailed(errors=wrong)


def password_faults(password: str, *, person: Person) -> list[str]:
    """Why this (new) person may not have this password, as messages; empty if they may."""
    if len(password) > LONGEST_PASSWORD:
        return [_("Use at most %(limit)d characters.") % {"limit": LONGEST_PASSWORD}]
    try:
        validate_password(password, person)
    except ValidationError as error:
        return list(error.messages)
    return []


def find_person(email: str) -> Person | None:
    """Whoever has this e-mail, in any case of letters."""
    return Person.objects.filter(email=email.strip().lower()).first()


def add_member(
    *,
    tenant: Tenant,
    person: Person,
    role: Role,
    custom_role: CustomRole | None = None,
    member_id: UUID | None = None,
) -> Member:
    """Give `person` a place in `tenant`. Raises AlreadyMember, and OperatorIsNoMember for an operator.

    The seat is the caller's business (billing consumes it in the same transaction, or has before
    under `member_id`).
    """
    if person.kind != Person.Kind.MEMBER:
        raise OperatorIsNoMember()
    try:
        with transaction.atomic():
            made = Member.objects.create(
                id=member_id or new_id(),
                tenant=tenant,
                person=person,
                role=Role(role),
                custom_role=custom_role,
            )
            subject = Subject("member", made.pk, masked(person.email))
            change = Change(after={"role": made.role_name, "person_id": person.pk})
            record(Action.MEMBER_ADDED, subject, change, tenant_id=tenant.pk)
    except IntegrityError as error:
        raise AlreadyMember() from error
    return made


def update_person(person: Person, *, name: str | None = None, locale: str | None = None) -> Person:
    """Change what a person says of themselves. E-mail and password have doors of their own."""
    wish = {"name": name, "locale": locale}
    changes = {field: value for field, value in wish.items() if value is not None}
    for field, value in changes.items():
        setattr(person, field, value)
    if changes:
        person.save(update_fields=[*changes])
    return person


def members_among(person_ids: Collection[UUID]) -> frozenset[UUID]:
    """Those of these people who are members of the tenant in force. One query, also as the tenant itself."""
    rows = Member.objects.filter(tenant_id=require_tenant().id, person_id__in=person_ids)
    return frozenset(rows.values_list("person_id", flat=True))


def members_of(tenant_id: UUID) -> QuerySet[Member]:
    """The tenant's members with their people."""
    return Member.objects.select_related("person", "custom_role").filter(tenant_id=tenant_id)


def remove_member(member: Member) -> None:
    """Take the place away, and with it the member's keys and sign-ins. The seat is the caller's business."""
    member.delete()
