"""What is done for each kind of command, and what becomes of a failure."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.models import ProviderCommand
from billing.providers.base import ProviderNotYet
from billing.services import collecting, entrusting, refunding, switching
from billing.services.commands import claim
from config.errors import DomainError
from config.logs import logger

log = logger(__name__)
Kind = ProviderCommand.Kind
# Each says in a word what came of it, may be cut off at any point, and be done again.
RUNNERS: dict[str, Callable[[ProviderCommand, datetime], str]] = {
    Kind.COLLECT: collecting.collect,
    Kind.WITHDRAW: collecting.withdraw,
    Kind.REFUND: refunding.send,
    Kind.ENTRUST: entrusting.entrust,
    Kind.CARRY: entrusting.carry,
    Kind.MIRROR: entrusting.mirror,
    Kind.SWITCH: switching.switch,
}


def run(*, command_id: UUID, now: datetime) -> str:
    """Do one command; its status afterwards, or "busy". A failure is kept on it and does not raise.

    The provider is asked outside of any transaction: what it did is written down at once, and a
    transaction that failed after it would forget that.
    """
    command = claim(command_id=command_id, now=now)
    if command is None:
        return "busy"
    try:
        outcome = RUNNERS[command.kind](command, now)
    except ProviderNotYet as early:
        until = early.facts["until"]
        _settle(command_id, lambda kept: kept.wait(until))
    except DomainError as refusal:
        reason = str(refusal.facts.get("reason", ""))
        log.warning(
            "provider_command.deferred",
            extra={"command_id": str(command_id), "code": refusal.code, "reason": reason},
        )
        told = f"{refusal.code} {reason}".strip()
        _settle(command_id, lambda kept: kept.fail(told, now=now))
    except Exception as error:  # whatever it was: kept, shown in the console, tried again
        log.exception("provider_command.failed", extra={"command_id": str(command_id)})
        told = f"{type(error).__name__}: {error}"
        _settle(command_id, lambda kept: kept.fail(told, now=now))
    else:
        _settle(command_id, lambda kept: kept.settle(outcome, now=now))
    return str(ProviderCommand.objects.values_list("status", flat=True).get(pk=command_id))


@transaction.atomic
def _settle(command_id: UUID, write: Callable[[ProviderCommand], None]) -> None:
    kept = ProviderCommand.objects.select_for_update().get(pk=command_id)
    if kept.status == ProviderCommand.Status.WAITING:
        write(kept)
