"""Compare a provider with what stands here. Differences are listed; none is changed before somebody asks.

Compared are the events that a provider has told (one that never came is not in the inbox), each tenant's
subscription, the money that moved, whether the books have it, and the commands that were given up.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from billing import providers
from billing.models import (
    ProviderCommand,
    ProviderDifference,
    ProviderTransaction,
    Subscription,
    WebhookKey,
)
from billing.providers.base import ProviderDown, ProviderRefused
from billing.providers.bills import SeenTransaction
from billing.providers.gateways import Gateway
from billing.services.comparing import difference
from billing.services.inbox import digest_of
from billing.services.webhooks import HANDLERS
from config.logs import logger

log = logger(__name__)
Kind = ProviderDifference.Kind
# A little more than a day, for a run that was late; providers keep events for 30 days.
LOOK_BACK = timedelta(days=3)
# What is younger may still be on its way.
ON_THE_WAY = timedelta(minutes=10)
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Found:
    """One difference: what stands here, and what stands there."""

    kind: ProviderDifference.Kind
    ref: str
    tenant_id: UUID | None
    here: str
    there: str


@dataclass(frozen=True, slots=True)
class Window:
    """What is compared: from `since` to `until`."""

    since: datetime
    until: datetime


def reconcile_all(*, now: datetime) -> int:
    """Every account; how many differences are open. One that is down is left for the next day."""
    for gateway in providers.configured():
        try:
            reconcile(gateway, now=now)
        except ProviderDown:
            log.warning("reconciliation.deferred", extra={"provider": gateway.name})
    return ProviderDifference.objects.filter(gone_at=None).count()


def reconcile(
    gateway: Gateway, *, now: datetime, look_back: timedelta = LOOK_BACK
) -> list[ProviderDifference]:
    """List the differences of one account, as they are now; those that are gone are marked so."""
    window = Window(now - look_back, now - ON_THE_WAY)
    found = [
        *_missing_events(gateway, window),
        *_of_subscriptions(gateway, window),
        *_not_entered(gateway.name, window),
        *_given_up(gateway.name),
    ]
    kept = _write(gateway.name, found, now)
    log.info("provider.reconciled", extra={"provider": gateway.name, "differences": len(kept)})
    return kept


def _missing_events(gateway: Gateway, window: Window) -> Iterator[Found]:
    kinds = [kind for provider, kind in HANDLERS if provider == gateway.name]
    told = gateway.events(kinds=kinds, since=window.since, until=window.until)
    digests = {digest_of(gateway.name, event.id): event for event in told}
    known = set(
        WebhookKey.objects.filter(digest__in=list(digests)).values_list("digest", flat=True)
    )
    for digest, event in digests.items():
        if digest not in known:
            yield Found(Kind.EVENT, event.id, None, "never came", event.kind)


def _of_subscriptions(gateway: Gateway, window: Window) -> Iterator[Found]:
    rows = Subscription.objects.filter(provider=gateway.name)
    for row in rows.exclude(provider_customer_id="", provider_subscription_id="").iterator(_BATCH):
        try:
            yield from _of_subscription(gateway, row)
            yield from _of_money(gateway, row, window)
        except ProviderRefused as refusal:
            ref = row.provider_subscription_id or row.provider_customer_id
            told = f"refused: {refusal.facts['reason']}"
            yield Found(Kind.SUBSCRIPTION, ref, row.tenant_id, row.status, told)


def _of_subscription(gateway: Gateway, row: Subscription) -> Iterator[Found]:
    held = row.provider_subscription_id
    if held:
        there = gateway.subscription(held)
        differs = difference(row, there)
        if differs:
            yield Found(Kind.SUBSCRIPTION, held, row.tenant_id, *differs)
    for other in gateway.subscriptions_of(row.provider_customer_id):
        if other.status.is_live and other.id != held:
            here = f"holds {held or 'none'}"
            yield Found(Kind.SUBSCRIPTION, other.id, row.tenant_id, here, other.status.value)


def _of_money(gateway: Gateway, row: Subscription, window: Window) -> Iterator[Found]:
    there = {
        one.ref: one
        for one in gateway.transactions(
            customer_id=row.provider_customer_id,
            subscription_id=row.provider_subscription_id,
            since=window.since,
            until=window.until,
        )
    }
    rows = ProviderTransaction.objects.filter(provider=gateway.name, tenant_id=row.tenant_id)
    here = {one.ref: one for one in rows.filter(ref__in=list(there))}
    for ref, one in there.items():
        stands = _told_here(here[ref]) if ref in here else "not known"
        if stands != _told_there(one):
            yield Found(Kind.TRANSACTION, ref, row.tenant_id, stands, _told_there(one))
    lost = rows.filter(kind=ProviderTransaction.Kind.PAYMENT).exclude(ref__in=list(there))
    for kept in lost.filter(occurred_at__range=(window.since, window.until)):
        yield Found(Kind.TRANSACTION, kept.ref, row.tenant_id, _told_here(kept), "not known")


def _told_here(row: ProviderTransaction) -> str:
    return f"{row.kind} {row.amount_minor} {row.currency} {row.status}"


def _told_there(seen: SeenTransaction) -> str:
    return f"{seen.kind.value} {seen.amount.amount} {seen.amount.currency} {seen.status.value}"


def _not_entered(provider: str, window: Window) -> Iterator[Found]:
    rows = ProviderTransaction.objects.filter(provider=provider, entered_at=None)
    for row in rows.filter(read_at__lte=window.until).order_by("occurred_at"):
        yield Found(Kind.ENTRY, row.ref, row.tenant_id, "not in the books", _told_here(row))


def _given_up(provider: str) -> Iterator[Found]:
    failed = ProviderCommand.objects.filter(provider=provider, status=ProviderCommand.Status.FAILED)
    for row in failed.order_by("promised_at"):
        yield Found(Kind.COMMAND, str(row.pk), row.tenant_id, f"{row.kind} given up", row.error)


@transaction.atomic
def _write(provider: str, found: Iterable[Found], now: datetime) -> list[ProviderDifference]:
    open_ones = {
        (row.kind, row.ref): row
        for row in ProviderDifference.objects.select_for_update().filter(
            provider=provider, gone_at=None
        )
    }
    kept = []
    for one in found:
        row = open_ones.pop((one.kind, one.ref), None) or ProviderDifference(
            provider=provider, kind=one.kind, ref=one.ref, found_at=now
        )
        row.tenant_id, row.here, row.there = one.tenant_id, one.here[:500], one.there[:500]
        row.seen_at = now
        row.save()
        kept.append(row)
    gone = [row.pk for row in open_ones.values()]
    ProviderDifference.objects.filter(pk__in=gone).update(gone_at=now)
    return kept
