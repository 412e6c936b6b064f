"""Promise a mail once, send it once: a row for each recipient, claimed by a conditional update."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import F, Q
from django.utils import translation

from config.celery import later
from config.logs import logger
from tenants.mails.letters import Letter, as_html, as_text, kind_named
from tenants.models import Mail, Member, Person, Tenant
from tenants.services import url_of

log = logger(__name__)
_CLAIM = timedelta(minutes=10)
_GIVEN_UP_AFTER = timedelta(days=2)
_KEPT = timedelta(days=30)
_BATCH = 500


@transaction.atomic
def post(
    *, tenant_id: UUID, roles: Iterable[str], kind: str, key: str, facts: Mapping[str, Any]
) -> int:
    """Promise a mail of `kind` to each active member of these roles; how many are new.

    The same key again promises nothing. Raises KeyError for an unknown kind.
    """
    kind_named(kind)
    people = Member.objects.filter(
        tenant_id=tenant_id, role__in=list(roles), person__is_active=True
    ).values_list("person_id", flat=True)
    mails = [
        Mail(tenant_id=tenant_id, person_id=person_id, kind=kind, key=key, facts=dict(facts))
        for person_id in people
    ]
    Mail.objects.bulk_create(mails, ignore_conflicts=True)
    new = Mail.objects.filter(pk__in=[mail.pk for mail in mails]).values_list("pk", flat=True)
    for mail_id in new:
        later("tenants.send_mail", mail_id=str(mail_id))
    return len(new)


def send(*, mail_id: UUID, now: datetime) -> bool:
    """Send it unless it is sent, or another worker has it in hand; whether it was sent here.

    A mail server that is away leaves the claim to run out: `resend_due` tries again, for two days.
    """
    free = Q(claimed_at=None) | Q(claimed_at__lte=now - _CLAIM)
    unsent = Mail.objects.filter(free, pk=mail_id, sent_at=None)
    if not unsent.update(claimed_at=now, attempts=F("attempts") + 1):
        return False
    mail = Mail.objects.select_related("tenant", "person").get(pk=mail_id)
    if not _is_wanted(mail):
        mail.delete()
        return False
    _written(mail).send()
    Mail.objects.filter(pk=mail_id).update(sent_at=now)
    log.info("mail.sent", extra={"mail_id": str(mail_id), "kind": mail.kind})
    return True


def _is_wanted(mail: Mail) -> bool:
    """Whoever has left the tenant since hears no more of it, and of a closed one nobody does."""
    is_member = Member.objects.filter(tenant_id=mail.tenant_id, person_id=mail.person_id).exists()
    return is_member and mail.person.is_active and mail.tenant.status != Tenant.Status.CLOSED


def _written(mail: Mail) -> EmailMultiAlternatives:
    tenant = mail.tenant
    with translation.override(_language_of(mail.person, tenant)):
        letter: Letter = kind_named(mail.kind).write(tenant, mail.facts)
        told = {"url": f"{url_of(tenant)}{letter.path}", "organisation": tenant.organisation}
        message = EmailMultiAlternatives(
            # Headers are one line each, whatever an organisation calls itself.
            subject=" ".join(letter.subject.split()),
            body=as_text(letter, **told),
            to=[mail.person.email],
            headers={
                "Message-ID": f"<{mail.pk}@{settings.PLAZA_DOMAIN}>",
                "Auto-Submitted": "auto-generated",
            },
        )
        message.attach_alternative(as_html(letter, **told), "text/html")
    return message


def _language_of(person: Person, tenant: Tenant) -> str:
    known = {code for code, _name in settings.LANGUAGES}
    wanted = (person.locale, tenant.locale, settings.LANGUAGE_CODE)
    return next(code for each in wanted if (code := each.split("-")[0]) in known)


@transaction.atomic
def resend_due(*, now: datetime) -> int:
    """Promise again what should have been sent ten minutes ago; how many that were."""
    due = Mail.objects.filter(
        Q(claimed_at=None) | Q(claimed_at__lte=now - _CLAIM),
        sent_at=None,
        created_at__lte=now - _CLAIM,
        created_at__gt=now - _GIVEN_UP_AFTER,
    )
    found = list(due.order_by("created_at").values_list("pk", flat=True)[:_BATCH])
    for mail_id in found:
        later("tenants.send_mail", mail_id=str(mail_id))
    return len(found)


def forget_old(*, now: datetime) -> int:
    """Mails of a month ago, sent or not; how many that were."""
    return Mail.objects.filter(created_at__lte=now - _KEPT).delete()[0]
