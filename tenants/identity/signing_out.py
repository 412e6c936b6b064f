"""Signing out: of one sign-in, of all others, of everything. Whoever lost a device ends what it may still open."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from config.errors import NotFound
from config.logs import logger
from tenants.identity import sign_ins, tokens
from tenants.identity.noting import note_sign_out, note_signed_out_everywhere
from tenants.models import Member, Person, SignIn

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
    begun = SignIn.objects.filter(member__person=person, created_at__lte=now)
    sign_ins.close(begun, now=now)
    person.signed_out_at = now
    person.save(update_fields=["signed_out_at"])
    tokens.revoke_all(person=person, now=now)


@transaction.atomic
def end_sign_in(*, member: Member, sign_in_id: UUID, now: datetime) -> None:
    """Refuse this sign-in of the member's from the next request on. Harmless twice. Raises NotFound."""
    row = SignIn.objects.filter(member=member, pk=sign_in_id).first()
    if row is None:
        raise NotFound()
    _end(row, member, now)


@transaction.atomic
def end_others(*, member: Member, but: UUID | None, now: datetime) -> int:
    """End all of the member's sign-ins here but the one that asks; how many those were."""
    rows = list(sign_ins.open_sign_ins(member=member, now=now))
    return sum(_end(row, member, now) for row in rows if row.pk != but)


def _end(row: SignIn, member: Member, now: datetime) -> bool:
    is_news = bool(sign_ins.close(SignIn.objects.filter(pk=row.pk), now=now))
    if row.kind == SignIn.Kind.TOKEN:
        tokens.revoke_family(family=row.pk, now=now)
    if is_news:
        note_sign_out(member, by=row.kind)
        log.info("sign_in.ended", extra={"sign_in_id": str(row.pk), "kind": row.kind})
    return is_news
