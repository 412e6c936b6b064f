"""Repair one listed difference, when somebody asks: what is here is made what the provider says."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from billing import providers
from billing.models import ProviderDifference
from billing.providers.base import ProviderRefused
from billing.providers.gateways import Gateway
from billing.services import commands, inbox, subscriptions, transactions
from billing.services.webhooks import HANDLERS
from config.errors import NotFound
from config.logs import logger

log = logger(__name__)
Kind = ProviderDifference.Kind
_AROUND = timedelta(days=35)


@transaction.atomic
def repair(*, difference_id: UUID, now: datetime) -> ProviderDifference:
    """Take over the provider's side of one difference. Raises NotFound, and what the provider raises.

    What the provider does not know (here more than there) is for a person: it stays listed.
    """
    open_ones = ProviderDifference.objects.select_for_update().filter(gone_at=None)
    difference = open_ones.filter(pk=difference_id).first()
    if difference is None:
        raise NotFound()
    gateway = providers.gateway(difference.provider)
    if _REPAIRS[difference.kind](gateway, difference, now):
        difference.gone_at = now
        difference.save(update_fields=["gone_at"])
    told = {"difference_id": str(difference_id), "is_gone": difference.gone_at is not None}
    log.info("difference.repaired", extra=told)
    return difference


def repair_all(*, provider: str, now: datetime) -> int:
    """Repair whatever is listed of one provider, events first; how many are gone. One's trouble is not the others'."""
    rows = ProviderDifference.objects.filter(provider=provider, gone_at=None)
    order = list(_REPAIRS)
    found = sorted(rows, key=lambda row: (order.index(Kind(row.kind)), row.found_at, row.pk))
    return sum(_is_repaired(row.pk, now) for row in found)


def _is_repaired(difference_id: UUID, now: datetime) -> bool:
    try:
        return repair(difference_id=difference_id, now=now).gone_at is not None
    except ProviderRefused as refusal:
        told = {"difference_id": str(difference_id), "reason": refusal.facts["reason"]}
        log.warning("difference.not_repaired", extra=told)
        return False


def _event(gateway: Gateway, difference: ProviderDifference, now: datetime) -> bool:
    """The event as the provider's own list tells it: proven by where it comes from."""
    kinds = [kind for provider, kind in HANDLERS if provider == gateway.name]
    since = difference.found_at - _AROUND
    for event in gateway.events(kinds=kinds, since=since, until=difference.found_at):
        if event.id == difference.ref:
            inbox.keep(event, now=now)
            return True
    return False


def _subscription(gateway: Gateway, difference: ProviderDifference, now: datetime) -> bool:
    tenant_id = subscriptions.sync_from_provider(
        provider=gateway.name, subscription_id=difference.ref, now=now
    )
    return tenant_id is not None


def _transaction(gateway: Gateway, difference: ProviderDifference, now: datetime) -> bool:
    """Read anew, with what belongs to it; refunds and disputes by the payment that they are of."""
    row = subscriptions.subscription_of(difference.tenant_id) if difference.tenant_id else None
    if row is None:
        return False
    seen = gateway.transactions(
        customer_id=row.provider_customer_id,
        subscription_id=row.provider_subscription_id,
        since=difference.found_at - _AROUND,
        until=difference.found_at,
    )
    transactions.take_over(seen, now=now)
    return any(one.ref == difference.ref for one in seen)


def _entry(gateway: Gateway, difference: ProviderDifference, now: datetime) -> bool:
    """Enter what waits for an invoice that there is by now."""
    if difference.tenant_id is None:
        return False
    transactions.enter(tenant_id=difference.tenant_id, now=now)
    return all(row.ref != difference.ref for row in transactions.waiting(difference.tenant_id))


def _command(gateway: Gateway, difference: ProviderDifference, now: datetime) -> bool:
    commands.run_again(command_id=UUID(difference.ref), now=now)
    return True


_REPAIRS: dict[str, Callable[[Gateway, ProviderDifference, datetime], bool]] = {
    Kind.EVENT: _event,
    Kind.SUBSCRIPTION: _subscription,
    Kind.TRANSACTION: _transaction,
    Kind.ENTRY: _entry,
    Kind.COMMAND: _command,
}
