"""Members of a restored tenant: people are found by their e-mail, and nothing of theirs is changed."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from config.needs import Role
from tenants.archives.manifest import MEMBERS
from tenants.archives.public_data import MEMBER_COLUMNS
from tenants.archives.refusals import ArchiveInvalid
from tenants.models import Member, Person, Tenant

# Read into memory as a whole.
LARGEST = 64 << 20


@dataclass(frozen=True, slots=True)
class ArchivedMember:
    """One line of `members.csv`, checked."""

    member_id: UUID
    person_id: UUID
    email: str
    name: str
    locale: str
    role: Role


def read_members(chunks: Iterable[bytes], *, rows: int) -> list[ArchivedMember]:
    """The members in the archive. Raises ArchiveInvalid."""
    try:
        text = b"".join(chunks).decode()
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        found = [_member(line) for line in lines[1:]]
    except (csv.Error, ValueError, ValidationError) as error:
        raise ArchiveInvalid(reason=f"{MEMBERS} is malformed.") from error
    if not lines or tuple(lines[0]) != MEMBER_COLUMNS or len(found) != rows:
        raise ArchiveInvalid(reason=f"{MEMBERS} is not what the manifest says.")
    if len({member.email for member in found}) != len(found):
        raise ArchiveInvalid(reason=f"{MEMBERS} names somebody twice.")
    return found


def _member(line: list[str]) -> ArchivedMember:
    member_id, person_id, email, name, locale, role = line
    validate_email(email)
    if len(email) > 254 or len(name) > 200 or len(locale) > 8 or "\0" in name + locale:
        raise ValueError(line)
    return ArchivedMember(
        UUID(member_id), UUID(person_id), email.strip().lower(), name, locale, Role(role)
    )


@transaction.atomic
def link_members(tenant: Tenant, archived: Iterable[ArchivedMember]) -> dict[UUID, UUID]:
    """Give the archive's people their places; {id in the archive: id here} of people and members.

    New people get no password that opens anything. Harmless twice. Raises ArchiveInvalid where
    somebody is an operator here, who is never a member.
    """
    ids: dict[UUID, UUID] = {}
    for each in archived:
        person, _ = Person.objects.get_or_create(
            email=each.email,
            defaults={"name": each.name, "locale": each.locale, "password": make_password(None)},
        )
        if person.kind != Person.Kind.MEMBER:
            raise ArchiveInvalid(reason=f"Person {each.person_id} is an operator here.")
        member, _ = Member.objects.get_or_create(
            tenant=tenant, person=person, defaults={"role": each.role.value}
        )
        ids |= {each.person_id: person.pk, each.member_id: member.pk}
    return ids
