"""The outbox toward the providers: promised in the transaction that decides, claimed, tried, settled."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from billing.models import ProviderCommand
from config.celery import later
from config.errors import NotFound

Kind, Status = ProviderCommand.Kind, ProviderCommand.Status
# How long one attempt may take before it is taken for lost.
LEASE = timedelta(minutes=5)
_BATCH = 200


@transaction.atomic
def promise(
    *,
    tenant_id: UUID,
    provider: str,
    kind: ProviderCommand.Kind,
    subject_id: UUID,
    now: datetime,
    arguments: Mapping[str, Any] | None = None,
) -> ProviderCommand:
    """Have the provider do it once this transaction is committed. While one waits, it is that one."""
    command, is_new = ProviderCommand.objects.get_or_create(
        kind=kind,
        subject_id=subject_id,
        status=Status.WAITING,
        defaults={
            "tenant_id": tenant_id,
            "provider": provider,
            "arguments": dict(arguments or {}),
            "promised_at": now,
            "next_attempt_at": now,
        },
    )
    if is_new:
        later("billing.run_provider_command", command_id=str(command.pk))
    return command


@transaction.atomic
def claim(*, command_id: UUID, now: datetime) -> ProviderCommand | None:
    """The command for one attempt, nobody else's for LEASE; None where it is settled, or somebody's."""
    due = ProviderCommand.objects.due(now).select_for_update(skip_locked=True)
    command = due.filter(pk=command_id).first()
    if command is not None:
        command.attempts += 1
        command.next_attempt_at = now + LEASE
        command.save(update_fields=["attempts", "next_attempt_at"])
    return command


@transaction.atomic
def retry_due(*, now: datetime) -> int:
    """Promise again what failed, or was promised and not done; how many that were."""
    due = ProviderCommand.objects.due(now).order_by("next_attempt_at")
    ids = due.values_list("pk", flat=True)[:_BATCH]
    for command_id in list(ids):
        later("billing.run_provider_command", command_id=str(command_id))
    return len(ids)


@transaction.atomic
def run_again(*, command_id: UUID, now: datetime) -> ProviderCommand:
    """Try once more what was given up. Raises NotFound."""
    command = ProviderCommand.objects.select_for_update().filter(pk=command_id).first()
    if command is None:
        raise NotFound()
    if command.status == Status.FAILED:
        command.status, command.attempts, command.error = Status.WAITING, 0, ""
        command.next_attempt_at, command.settled_at = now, None
        command.save()
    later("billing.run_provider_command", command_id=str(command.pk))
    return command
