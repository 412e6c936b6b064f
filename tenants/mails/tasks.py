"""Mails off the request, each harmless twice."""

from smtplib import SMTPException
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from config.logs import logger
from tenants.mails import posting
from tenants.tasks import TenantTask

log = logger(__name__)


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
