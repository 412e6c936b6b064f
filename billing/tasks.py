"""What billing does off the request. All of it is the square's, and harmless twice."""

from datetime import datetime
from smtplib import SMTPException
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from billing import books, signup
from billing.providers.base import ProviderDown
from billing.services import (
    closing,
    commands,
    dunning,
    expiring,
    forgetting,
    inbox,
    invitations,
    offboarding,
    reconciling,
    running,
    scaling,
    seats,
    subscriptions,
    trails,
    trials,
    webhooks,
)
from tenants.tasks import TenantTask


@shared_task(name="billing.handle_webhook", base=TenantTask, public=True)
def handle_webhook(*, event_id: str) -> str:
    """Handle one event of the inbox; a failure is kept there and tried again."""
    return webhooks.handle(event_id=UUID(event_id), now=timezone.now())


@shared_task(name="billing.retry_webhooks", base=TenantTask, public=True)
def retry_webhooks() -> int:
    """Try the inbox's due events again."""
    return webhooks.retry_due(now=timezone.now())


@shared_task(name="billing.run_provider_command", base=TenantTask, public=True)
def run_provider_command(*, command_id: str) -> str:
    """Have a provider do one thing; a failure is kept there and tried again."""
    return running.run(command_id=UUID(command_id), now=timezone.now())


@shared_task(name="billing.retry_provider_commands", base=TenantTask, public=True)
def retry_provider_commands() -> int:
    """Try again what the providers are still to do."""
    return commands.retry_due(now=timezone.now())


@shared_task(name="billing.reconcile", base=TenantTask, public=True)
def reconcile() -> int:
    """List where the providers and we differ; nothing is changed by it."""
    return reconciling.reconcile_all(now=timezone.now())


@shared_task(name="billing.forget_provider_rows", base=TenantTask, public=True)
def forget_provider_rows() -> int:
    """Forget what is old and settled of the providers' money, commands and differences."""
    return forgetting.forget_settled(now=timezone.now())


@shared_task(name="billing.keep_months", base=TenantTask, public=True)
def keep_months() -> None:
    """Make the inbox's months ahead and drop the old ones; a second run finds nothing to do."""
    inbox.keep_months(now=timezone.now())


@shared_task(name="billing.finish_sign_up", base=TenantTask, public=True)
def finish_sign_up(*, tenant_id: str) -> None:
    """Finish one sign-up that was cut off."""
    signup.finish(tenant_id=UUID(tenant_id))


@shared_task(name="billing.finish_sign_ups", base=TenantTask, public=True)
def finish_sign_ups() -> int:
    """Look for sign-ups that were cut off."""
    return signup.resume_cut_off(now=timezone.now())


@shared_task(
    name="billing.send_invitation",
    base=TenantTask,
    public=True,
    autoretry_for=(SMTPException, OSError),
    retry_backoff=True,
    max_retries=8,
)
def send_invitation(*, invitation_id: str) -> bool:
    """Mail one invitation's link, while it waits."""
    return invitations.send(invitation_id=UUID(invitation_id))


@shared_task(name="billing.expire_trials", base=TenantTask, public=True)
def expire_trials() -> int:
    """End what has run out: invitations, wishes without their buyer's consent, trials that nobody paid for, and the grace of those overdue."""
    now = timezone.now()
    seats.expire_invitations(now=now)
    trials.tell_ending(now=now)
    expiring.expire_consents(now=now)
    return subscriptions.expire_trials(now=now) + subscriptions.hold_overdue(now=now)


@shared_task(name="billing.close_periods", base=TenantTask, public=True)
def close_periods() -> int:
    """Close the billing periods that are over: their use is billed, and the next begin."""
    return closing.close_due(now=timezone.now())


@shared_task(name="billing.bill_late_use", base=TenantTask, public=True)
def bill_late_use() -> int:
    """Bill the use that came late of subscriptions that have ended."""
    return closing.bill_late_use(now=timezone.now())


@shared_task(name="billing.dun", base=TenantTask, public=True)
def dun() -> int:
    """Ask for what is owed, a step further where its day has come."""
    return dunning.dun_due(now=timezone.now())


@shared_task(
    name="billing.end_given_up",
    base=TenantTask,
    public=True,
    autoretry_for=(ProviderDown,),
    retry_backoff=True,
    max_retries=8,
)
def end_given_up(*, tenant_id: str) -> None:
    """Tell the provider that what dunning gave up has ended."""
    dunning.end_at_provider(tenant_id=UUID(tenant_id))


@shared_task(
    name="billing.end_charges",
    base=TenantTask,
    public=True,
    autoretry_for=(ProviderDown,),
    retry_backoff=True,
    max_retries=8,
)
def end_charges(*, tenant_id: str) -> None:
    """End what was paid for a tenant that is closed. A later webhook of it promises this again."""
    offboarding.end_charges(tenant_id=UUID(tenant_id), now=timezone.now())


@shared_task(name="billing.tenant_scaled", base=TenantTask, public=True)
def tenant_scaled(
    *,
    tenant_id: str,
    scaled_at: str,
    statement_timeout_ms: int | None,
    connection_share: int | None,
    worker_slots: int | None,
    storage_limit_bytes: int | None,
) -> None:
    """Keep what a tenant's shares were changed to by hand."""
    scaling.record(
        tenant_id=UUID(tenant_id),
        scaled_at=datetime.fromisoformat(scaled_at),
        shares={
            "statement_timeout_ms": statement_timeout_ms,
            "connection_share": connection_share,
            "worker_slots": worker_slots,
            "storage_limit_bytes": storage_limit_bytes,
        },
    )


@shared_task(name="billing.prune_trails", base=TenantTask, public=True)
def prune_trails() -> int:
    """Let go of the months of audit trails that the tenants' plans keep no longer."""
    return trails.prune_trails(now=timezone.now())


@shared_task(name="billing.erase_closed", base=TenantTask, public=True)
def erase_closed() -> int:
    """Erase the tenants whose window has ended, and go on with erasures that were cut off."""
    return offboarding.erase_due(now=timezone.now())


@shared_task(name="billing.stamp_documents", base=TenantTask, public=True)
def stamp_documents() -> int:
    """Give the fiscal desk what waits for its stamp."""
    return books.stamp_due(now=timezone.now())


@shared_task(name="billing.check_books", base=TenantTask, public=True)
def check_books() -> int:
    """Look whether the books add up; what does not is told as errors of the log."""
    return books.check_books()
