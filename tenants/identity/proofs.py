"""Links of one use by mail: promised in the caller's transaction, written by a worker, redeemed once.

What a request does for an address that nobody has is the same, statement by statement, as for one that
somebody has: neither its answer nor its time tells who exists.
"""

from datetime import datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils import translation

from config.celery import later
from config.logs import logger
from tenants.identity.demo import is_shut_out
from tenants.identity.hashing import digest, new_secret
from tenants.identity.proof_letters import FOOTERS, LETTERS
from tenants.identity.refusals import ProofInvalid
from tenants.mails.letters import Letter, as_html, as_text
from tenants.models import MailedProof, Person, Tenant
from tenants.services import address_at, url_of

log = logger(__name__)
LIFE = timedelta(hours=1)
PAGES = {
    MailedProof.Kind.PASSWORD_RESET: "/password-reset/confirm",
    MailedProof.Kind.EMAIL_CHANGE: "/email-change/confirm",
}


def promise(
    *,
    kind: MailedProof.Kind,
    person: Person | None,
    tenant: Tenant | None,
    now: datetime,
    other_email: str = "",
) -> MailedProof:
    """Promise a link that leads to `tenant` (or the square). For nobody the same is written."""
    row = MailedProof.objects.create(
        kind=kind, person=person, tenant=tenant, other_email=other_email, expires_at=now + LIFE
    )
    later("tenants.send_proof", proof_id=str(row.pk))
    return row


def send(*, proof_id: UUID, now: datetime) -> bool:
    """Mail the link, with a secret made this moment; False where there is nothing to send.

    A second run (the worker was killed, the mail server away) mails a new secret, and the first is void.
    """
    row = MailedProof.objects.select_related("person", "tenant").filter(pk=proof_id).first()
    if row is None or row.used_at is not None or row.expires_at <= now:
        return False
    if row.person is None or not _may_be_written_to(row.person):
        row.delete()
        return False
    secret = new_secret()
    MailedProof.objects.filter(pk=row.pk).update(secret_hash=digest(secret))
    url = f"{_home(row.tenant)}{PAGES[MailedProof.Kind(row.kind)]}?{urlencode({'token': secret})}"
    _mail(row.kind, row.other_email or row.person.email, row, url)
    return True


def tell_former_address(*, proof_id: UUID) -> bool:
    """Tell the address that was left that it was; False where the row is gone."""
    row = MailedProof.objects.select_related("person", "tenant").filter(pk=proof_id).first()
    if row is None or row.person is None or row.used_at is None:
        return False
    _mail("email_changed", row.other_email, row, f"{_home(row.tenant)}/password-reset")
    return True


def tell_of_new_password(*, person_id: UUID) -> bool:
    """Tell a person that their password was changed; False where they are gone."""
    person = Person.objects.filter(pk=person_id, is_active=True).first()
    if person is None:
        return False
    row = MailedProof(person=person)
    _mail("password_changed", person.email, row, f"{_home(None)}/password-reset")
    return True


def redeem(
    *, kind: MailedProof.Kind, token: str, tenant: Tenant | None, now: datetime
) -> MailedProof:
    """The proof of `token`, locked, with its person; used up by this. In the caller's transaction.

    Raises ProofInvalid, also for one that was mailed for another host.
    """
    row = (
        MailedProof.objects.select_for_update(of=("self",))
        .select_related("person", "tenant")
        .filter(secret_hash=digest(token), kind=kind, tenant=tenant, used_at=None)
        .filter(expires_at__gt=now)
        .first()
    )
    if row is None or row.person is None or not _may_be_written_to(row.person):
        raise ProofInvalid()
    row.used_at = now
    row.save(update_fields=["used_at"])
    return row


def void_all(person: Person) -> None:
    """Links that were mailed to this person before open nothing any more."""
    MailedProof.objects.filter(person=person, used_at=None).delete()


def forget_old(*, now: datetime) -> int:
    """Links that ran out; how many those were."""
    return MailedProof.objects.filter(expires_at__lte=now - LIFE).delete()[0]


def _may_be_written_to(person: Person) -> bool:
    is_member = person.is_active and person.kind == Person.Kind.MEMBER
    return is_member and not is_shut_out(person)


def _home(tenant: Tenant | None) -> str:
    """From the settings and the tenant's row, never from the Host of the request that asked."""
    return address_at(settings.PLAZA_DOMAIN) if tenant is None else url_of(tenant)


def _mail(kind: str, to: str, row: MailedProof, url: str) -> None:
    person, tenant = row.person, row.tenant
    locale = (person.locale if person else "") or (tenant.locale if tenant else "")
    with translation.override(locale or settings.LANGUAGE_CODE):
        letter: Letter = LETTERS[kind](row)
        told = {"url": url, "organisation": "Plaza", "footer": str(FOOTERS[kind])}
        message = EmailMultiAlternatives(
            subject=letter.subject,
            body=as_text(letter, **told),
            to=[to],
            headers={"Auto-Submitted": "auto-generated"},
        )
        message.attach_alternative(as_html(letter, **told), "text/html")
    message.send()
    log.info("mail.sent", extra={"mail_id": str(row.pk), "kind": kind})
