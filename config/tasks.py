"""The ground's own tasks: send what the broker did not get, forget answers after a day."""

from datetime import timedelta

from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from config.celery import RESEND_AFTER, public_task, send
from config.models import KeptAnswer, OutboxMessage

_BATCH = 500
_KEEP_ANSWERS = timedelta(hours=24)


@public_task("config.resend_outbox")
def resend_outbox() -> int:
    """Send rows older than RESEND_AFTER again, oldest first; stop at the first failure."""
    sent = 0
    with transaction.atomic():
        rows = OutboxMessage.objects.select_for_update(skip_locked=True).filter(
            created_at__lt=timezone.now() - RESEND_AFTER
        )
        for row in rows.order_by("created_at")[:_BATCH]:
            if not send(row.pk, row.task, row.arguments, row.headers):
                break
            row.delete()
            sent += 1
    return sent


@public_task("config.clear_sessions")
def clear_sessions() -> None:
    """Forget the sessions that have expired."""
    call_command("clearsessions")


@public_task("config.forget_kept_answers")
def forget_kept_answers() -> int:
    """Answers under an Idempotency-Key are kept for 24 hours."""
    return KeptAnswer.objects.filter(created_at__lt=timezone.now() - _KEEP_ANSWERS).delete()[0]
