"""An invitation's link: signed, good for one address, one tenant and one week; and what it opens."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.core import signing
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from billing.models import Invitation
from billing.refusals import InvitationInvalid
from config.logs import logger
from config.needs import Role
from tenants.identity.people import add_member, create_person, find_person
from tenants.identity.refusals import InvalidCredentials
from tenants.life import refuse_closing
from tenants.mails.letters import Letter, as_html, as_text
from tenants.models import Member, Person
from tenants.services import url_of

log = logger(__name__)
PAGE = "/invitation"
_SALT = "billing.invitation"


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Who accepts: whoever has an account proves it with its password, others choose one."""

    token: str
    password: str
    name: str = ""
    locale: str = ""

    def __repr__(self) -> str:
        return "Acceptance(…)"


def token_of(invitation: Invitation) -> str:
    """What the link carries. It is made anew from the row, so that none is kept."""
    facts = [str(invitation.pk), invitation.sent_at.isoformat()]
    return signing.dumps(facts, salt=_SALT)


def invitation_of(token: str, *, tenant_id: UUID, now: datetime) -> Invitation:
    """The waiting invitation that `token` was made for, locked. Raises InvitationInvalid."""
    try:
        pk, sent_at = signing.loads(token, salt=_SALT)
        found = Invitation.objects.waiting().select_for_update().filter(pk=pk, tenant_id=tenant_id)
    except (signing.BadSignature, ValueError, TypeError):
        raise InvitationInvalid() from None
    row = found.first()
    if row is None or row.sent_at.isoformat() != sent_at or row.expires_at <= now:
        raise InvitationInvalid()
    return row


@transaction.atomic
def accept(*, tenant_id: UUID, acceptance: Acceptance, now: datetime) -> Member:
    """Become a member in the seat that was reserved.

    Raises InvitationInvalid, TenantClosing, InvalidCredentials, ValidationFailed, AlreadyMember.
    """
    row = invitation_of(acceptance.token, tenant_id=tenant_id, now=now)
    refuse_closing(row.tenant)
    person = _proven(row.email, acceptance)
    member = add_member(
        tenant=row.tenant,
        person=person,
        role=Role(row.role),
        custom_role=row.custom_role,
        member_id=row.pk,
    )
    row.accepted_at = now
    row.save(update_fields=["accepted_at"])
    log.info("invitation.accepted", extra={"invitation_id": str(row.pk)})
    return member


def _proven(email: str, acceptance: Acceptance) -> Person:
    person = find_person(email)
    if person is None:
        # The link came to this address: that it is theirs is proven by it.
        return create_person(
            email=email,
            password=acceptance.password,
            name=acceptance.name,
            locale=acceptance.locale,
        )
    if not person.is_active or not person.check_password(acceptance.password):
        raise InvalidCredentials()
    return person


def send(*, invitation_id: UUID) -> bool:
    """Mail the link, in the person's language or else the tenant's; False where it waits no more."""
    row = Invitation.objects.waiting().select_related("tenant").filter(pk=invitation_id).first()
    if row is None:
        return False
    person = find_person(row.email)
    with translation.override((person.locale if person else "") or row.tenant.locale):
        _written(row).send()
    return True


def _written(row: Invitation) -> EmailMultiAlternatives:
    organisation = " ".join(row.tenant.organisation.split())
    letter = Letter(
        subject=_("You are invited to %(organisation)s") % {"organisation": organisation},
        paragraphs=(
            _("%(organisation)s has kept a seat for you on Plaza.")
            % {"organisation": organisation},
            _("The link below holds for a week. If you do not know them, ignore this mail."),
        ),
        action=_("Accept the invitation"),
        path=f"{PAGE}?token={token_of(row)}",
    )
    told = {
        "url": f"{url_of(row.tenant)}{letter.path}",
        "organisation": organisation,
        "footer": _("Plaza sent you this because %(organisation)s invited you")
        % {"organisation": organisation},
    }
    message = EmailMultiAlternatives(
        subject=letter.subject, body=as_text(letter, **told), to=[row.email],
        headers={"Auto-Submitted": "auto-generated"},
    )  # fmt: skip
    message.attach_alternative(as_html(letter, **told), "text/html")
    return message
