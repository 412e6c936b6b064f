"""Mails off the request, each harmless twice."""

from smtplib import SMTPException
from typing import Any
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from config.logs import logger
from tenants.identity import proofs
from tenants.mails import posting
from tenants.tasks import TenantTask

log = logger(__name__)
_TRIED_AGAIN: Any = {
    "base": TenantTask,
    "public": True,
    "autoretry_for": (SMTPException, OSError),
    "retry_backoff": True,
    "max_retries": 8,
}


@shared_task(name="tenants.send_mail", base=TenantTask, public=True)
def send_mail(*, mail_id: str) -> bool:
    """Send one promised mail; while the mail server is away it stays promised."""
    try:
        return posting.send(mail_id=UUID(mail_id), now=timezone.now())
    except (SMTPException, OSError) as error:
        log.warning("mail.deferred", extra={"mail_id": mail_id, "reason": type(error).__name__})
        return False


@shared_task(name="tenants.resend_mails", base=TenantTask, public=True)
def resend_mails() -> int:
    """Try the mails again that a server or a worker has lost."""
    return posting.resend_due(now=timezone.now())


@shared_task(name="tenants.send_proof", **_TRIED_AGAIN)
def send_proof(*, proof_id: str) -> bool:
    """Mail one link, while it may still be used."""
    return proofs.send(proof_id=UUID(proof_id), now=timezone.now())


@shared_task(name="tenants.tell_former_address", **_TRIED_AGAIN)
def tell_former_address(*, proof_id: str) -> bool:
    """Tell the address that somebody left."""
    return proofs.tell_former_address(proof_id=UUID(proof_id))


@shared_task(name="tenants.tell_of_new_password", **_TRIED_AGAIN)
def tell_of_new_password(*, person_id: str) -> bool:
    """Tell somebody that their password was changed."""
    return proofs.tell_of_new_password(person_id=UUID(person_id))
