"""Signing out everywhere: whoever lost a device ends what it may still be signed in to."""

from datetime import datetime

from django.db import transaction

from config.logs import logger
from tenants.identity import tokens
from tenants.identity.noting import note_signed_out_everywhere
from tenants.models import Member, Person

log = logger(__name__)


@transaction.atomic
def sign_out_everywhere(*, member: Member, now: datetime) -> None:
    """End all sessions and tokens of the member's person, at every tenant, from the next request on.

    API keys are programs' and stay.
    """
    end_sign_ins(person=member.person, now=now)
    note_signed_out_everywhere(member)
    log.info("person.signed_out_everywhere", extra={"person_id": str(member.person_id)})


def end_sign_ins(*, person: Person, now: datetime) -> None:
    """The same, in the transaction of what is the reason for it."""
    person.signed_out_at = now
    person.save(update_fields=["signed_out_at"])
    tokens.revoke_all(person=person, now=now)
