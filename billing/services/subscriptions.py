"""What a tenant has, and pays for. The provider has the last word on what was paid; we grant downward.

A downgrade below what is in use is allowed: nothing is taken away, and the meters that stand above
their new limit refuse more until they are below it.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from billing import providers
from billing.catalogue import FREE
from billing.models import Subscription
from billing.providers.base import ProviderStatus, ProviderSubscription
from billing.services import charging, overdue, states, switching
from billing.services.finding import find_plan, subscription_of
from billing.services.following import follow_provider
from billing.services.granting import grant_beside_plan
from billing.services.grants import entitle
from billing.services.overdue import GRACE
from billing.services.prices import price_of
from billing.services.wishes import open_change
from config.logs import logger
from tenants.models import Tenant
from tenants.trail.actions import Action
from tenants.trail.recording import Change, Subject, record

__all__ = [
    "GRACE",
    "expire_trials",
    "find_plan",
    "hold_overdue",
    "start",
    "subscription_of",
    "sync_from_provider",
]
log = logger(__name__)
_BATCH = 500
Status = Subscription.Status
_STATUSES = {
    ProviderStatus.TRIALING: Status.TRIALING,
    ProviderStatus.ACTIVE: Status.ACTIVE,
    ProviderStatus.PAST_DUE: Status.PAST_DUE,
    ProviderStatus.UNPAID: Status.PAST_DUE,
    ProviderStatus.PAUSED: Status.PAUSED,
    ProviderStatus.CANCELLED: Status.CANCELLED,
}


@transaction.atomic
def start(*, tenant: Tenant, plan: str, now: datetime) -> Subscription:
    """Give a new tenant its plan: `free` as it is, a paid one as a trial. Harmless twice."""
    spec = find_plan(plan)
    subscription, is_new = Subscription.objects.get_or_create(
        tenant=tenant,
        defaults={
            "plan": spec.key,
            "status": Status.TRIALING if spec.is_paid else Status.ACTIVE,
            "trial_ends_at": now + timedelta(days=spec.trial_days) if spec.is_paid else None,
            "anchored_at": now,
        },
    )
    if is_new:
        entitle(tenant_id=tenant.id, plan=spec.key, now=now)
    return subscription


@transaction.atomic
def sync_from_provider(*, provider: str, subscription_id: str, now: datetime) -> UUID | None:
    """Take over what the provider says of this subscription now; the tenant's id, None if not ours.

    The order and number of calls make no difference: under the row's lock the provider is read
    anew, and of two subscriptions of one tenant the live and then the newer one counts.
    Raises ProviderDown, ProviderRefused, UnknownPrice.
    """
    row = _locked(provider, subscription_id)
    if row is None:
        return None
    found = _governing(row, provider, subscription_id)
    # An abandoned checkout must not end a trial: only what was paid once takes over.
    is_begun = found.status is not ProviderStatus.INCOMPLETE
    if is_begun and not overdue.was_given_up(row, found.id):
        _take_over(row, found, now)
    return row.tenant_id


def _locked(provider: str, subscription_id: str) -> Subscription | None:
    rows = Subscription.objects.select_for_update()
    row = rows.filter(provider=provider, provider_subscription_id=subscription_id).first()
    if row is not None:
        return row
    # Not known yet: the provider says whose it is. It is read again once the row is locked.
    found = providers.gateway(provider).subscription(subscription_id)
    if found.customer_id:
        row = rows.filter(provider=provider, provider_customer_id=found.customer_id).first()
    if row is None and found.tenant_id:
        row = rows.filter(tenant_id=found.tenant_id).first()
    return row


def _governing(row: Subscription, provider: str, subscription_id: str) -> ProviderSubscription:
    asked = providers.gateway(provider).subscription(subscription_id)
    held_id = row.provider_subscription_id
    if not held_id or (row.provider, held_id) == (provider, subscription_id):
        return asked
    held = providers.gateway(row.provider).subscription(held_id)
    if held.status.is_live and asked.status.is_live:
        facts = {"tenant_id": str(row.tenant_id), "subscriptions": [held.id, asked.id]}
        log.error("subscription.doubled", extra=facts)
    return max(held, asked, key=_weight)


def _weight(found: ProviderSubscription) -> tuple[bool, bool, datetime, str]:
    """Live before over, over before never begun; among equals the newer."""
    was_paid = found.status is not ProviderStatus.INCOMPLETE
    return found.status.is_live, was_paid, found.created_at, found.id


def _take_over(row: Subscription, found: ProviderSubscription, now: datetime) -> None:
    price, before = price_of(provider=found.provider, price_id=found.price_id), _told(row)
    if price.currency != row.currency and switching.is_under_way(row, found.id):
        return  # it is about to end there, and means nothing any more
    row.provider, row.provider_subscription_id = found.provider, found.id
    row.provider_customer_id = found.customer_id
    states.follow(row, to=_status(row, found))
    row.period_starts_at, row.period_ends_at = found.period_starts_at, found.period_ends_at
    row.trial_ends_at = found.trial_ends_at or row.trial_ends_at
    row.cancels_at_period_end = found.cancels_at_period_end
    charges = follow_provider(row, price=price, found=found, now=now)
    row.pending_plan = _still_pending(row, found)
    _ask_or_release(row, found, now)
    row.save()
    _record(row, before)
    entitle(tenant_id=row.tenant_id, plan=row.plan, now=now)
    grant_beside_plan(row, now=now)
    overdue.hold_or_release(row, now=now)
    for charge in charges:
        charging.issue(row, charge, now=now)
    facts = {"tenant_id": str(row.tenant_id), "plan": row.plan, "status": str(row.status)}
    log.info("subscription.synced", extra=facts)


def _told(row: Subscription) -> dict[str, str]:
    return {"plan": row.plan, "status": str(row.status), "interval": str(row.interval)}


def _record(row: Subscription, before: dict[str, str]) -> None:
    """Providers tell the same thing again and again: only what is another than before is recorded."""
    if _told(row) != before:
        subject, change = Subject("subscription", row.pk), Change(before, _told(row))
        record(Action.PLAN_CHANGED, subject, change, tenant_id=row.tenant_id)


def _still_pending(row: Subscription, found: ProviderSubscription) -> str:
    """A wish is fulfilled once the provider has it; an end that was called off is no wish any more."""
    if found.cancels_at_period_end:
        return FREE
    change = open_change(row)
    if change is not None:
        wanted = str(change.terms["plan"])
        return wanted if wanted != row.plan else ""
    is_settled = row.pending_plan in {row.plan, FREE} or not found.status.is_live
    return "" if is_settled else row.pending_plan


def _status(row: Subscription, found: ProviderSubscription) -> Status:
    """The provider's word; but of what is owed to us it may not know: that keeps being overdue."""
    told = _STATUSES[found.status]
    is_owed = row.status == Status.PAST_DUE and overdue.present(row) and overdue.owed(row)
    return Status.PAST_DUE if told == Status.ACTIVE and is_owed else told


def _ask_or_release(row: Subscription, found: ProviderSubscription, now: datetime) -> None:
    if row.status != Status.PAST_DUE:
        overdue.go_on_or_end(row, now=now)
        return
    overdue.begin(row, now=now)
    if found.status is ProviderStatus.UNPAID:
        row.grace_ends_at = min(row.grace_ends_at or now, now)


def expire_trials(*, now: datetime) -> int:
    """Trials that ended unpaid fall back to the free plan; how many that were."""
    due = Subscription.objects.trials_over(now).values_list("pk", flat=True)[:_BATCH]
    return sum(_expire_trial(pk, now) for pk in list(due))


@transaction.atomic
def _expire_trial(pk: UUID, now: datetime) -> bool:
    row = _claimed(Subscription.objects.trials_over(now), pk)
    if row is None:
        return False
    before = _told(row)
    states.move(row, to=Status.EXPIRED)
    row.plan, row.pending_plan = FREE, ""
    row.save()
    _record(row, before)
    entitle(tenant_id=row.tenant_id, plan=FREE, now=now)
    log.info("trial.expired", extra={"tenant_id": str(row.tenant_id)})
    return True


def hold_overdue(*, now: datetime) -> int:
    """Hold the tenants whose grace is over; how many are overdue."""
    due = Subscription.objects.grace_over(now).values_list("pk", flat=True)
    return sum(_hold(pk, now) for pk in list(due))


@transaction.atomic
def _hold(pk: UUID, now: datetime) -> bool:
    row = _claimed(Subscription.objects.grace_over(now), pk)
    if row is not None:
        overdue.hold_or_release(row, now=now)
    return row is not None


def _claimed(due: QuerySet[Subscription], pk: UUID) -> Subscription | None:
    """The row under its lock, if it is still due and nobody else is at it."""
    return due.select_for_update(skip_locked=True, of=("self",)).filter(pk=pk).first()
