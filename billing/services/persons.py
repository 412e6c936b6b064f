"""The end of a person at Plaza: they leave every tenant, their seats are freed, and nothing of them stays."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from billing.models import Invitation
from billing.services import seats
from config.errors import ValidationFailed
from config.logs import logger
from tenants.identity.personal_data import erase_person
from tenants.models import Member, Person
from tenants.trail.actions import Action
from tenants.trail.recording import Subject, record

log = logger(__name__)


@transaction.atomic
def erase(*, person: Person, email: str, now: datetime) -> dict[str, int]:
    """Erase a person who types their e-mail once more; {table: rows}.

    Raises LastOwner where a tenant would be left with nobody (close it, or give it away, first), and
    ValidationFailed where `email` is another one; nothing is done then.
    """
    if email.strip().lower() != person.email:
        raise ValidationFailed(errors={"email": [_("Type your own e-mail address once more.")]})
    _leave_everywhere(person, now)
    counts = {"invitation": _forget_invitations(person.email, now)}
    counts |= erase_person(person_id=person.pk)
    log.info("person.erased", extra={"person_id": str(person.pk)})
    return counts


def _leave_everywhere(person: Person, now: datetime) -> None:
    for member in Member.objects.filter(person=person).order_by("tenant_id"):
        seats.free(tenant_id=member.tenant_id, seat_id=member.pk, by=member, now=now)
        subject = Subject("member", member.pk)
        record(Action.PERSONAL_DATA_ERASED, subject, tenant_id=member.tenant_id)


def _forget_invitations(email: str, now: datetime) -> int:
    """Those that wait end, and give their seats back; of all of them the address goes."""
    for waiting in Invitation.objects.waiting().select_for_update().filter(email=email):
        seats.end(waiting, now)
    found = Invitation.objects.filter(email=email)
    ids: list[UUID] = list(found.values_list("pk", flat=True))
    for pk in ids:
        Invitation.objects.filter(pk=pk).update(email=f"{pk}@erased.invalid")
    return len(ids)
