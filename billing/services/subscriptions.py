"""What a tenant has, and pays for. The provider has the last word on what was paid; we grant downward.

A downgrade below what is in use is allowed: nothing is taken away, and the meters that stand above
their new limit refuse more until they are below it.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from billing import catalogue, providers
from billing.catalogue import FREE
from billing.models import Subscription
from billing.providers.base import ProviderStatus, ProviderSubscription
from billing.services.grants import entitle, hold_or_release
from billing.services.prices import price_of
from config.errors import NotFound, ValidationFailed
from config.logs import logger
from quotas.periods import Anchor
from tenants.models import Tenant
from tenants.trail.actions import Action
from tenants.trail.recording import Change, Subject, record

log = logger(__name__)
# How long a provider may try to collect before the tenant is held to reading.
GRACE = timedelta(days=3)
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


def find_plan(key: str) -> catalogue.PlanSpec:
    """The plan that a client names. Raises ValidationFailed."""
    try:
        return catalogue.plan(key)
    except KeyError:
        names = ", ".join(spec.key for spec in catalogue.plans())
        raise ValidationFailed(errors={"plan": [f"One of {names}."]}) from None


def subscription_of(tenant_id: UUID, *, for_update: bool = False) -> Subscription:
    """Raises NotFound."""
    rows = Subscription.objects.all()
    row = (rows.select_for_update() if for_update else rows).filter(tenant_id=tenant_id).first()
    if row is None:
        raise NotFound()
    return row


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
    if found.status is not ProviderStatus.INCOMPLETE:
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
    row.provider, row.provider_subscription_id = found.provider, found.id
    row.provider_customer_id = found.customer_id
    row.status = _STATUSES[found.status]
    row.plan = FREE if row.status in Subscription.WITHOUT_PLAN else price.plan
    row.anchored_at = _anchored_at(row, price.interval, found)
    row.interval, row.currency = price.interval, price.currency
    row.period_starts_at, row.period_ends_at = found.period_starts_at, found.period_ends_at
    row.trial_ends_at = found.trial_ends_at or row.trial_ends_at
    row.cancels_at_period_end = found.cancels_at_period_end
    row.pending_plan = _still_pending(row, found)
    row.grace_ends_at = _grace(row, found, now)
    row.save()
    _record(row, before)
    entitle(tenant_id=row.tenant_id, plan=row.plan, now=now)
    hold_or_release(row, now=now)
    facts = {"tenant_id": str(row.tenant_id), "plan": row.plan, "status": str(row.status)}
    log.info("subscription.synced", extra=facts)


def _told(row: Subscription) -> dict[str, str]:
    return {"plan": row.plan, "status": str(row.status), "interval": str(row.interval)}


def _record(row: Subscription, before: dict[str, str]) -> None:
    """Providers tell the same thing again and again: only what is another than before is recorded."""
    if _told(row) != before:
        subject, change = Subject("subscription", row.pk), Change(before, _told(row))
        record(Action.PLAN_CHANGED, subject, change, tenant_id=row.tenant_id)


def _anchored_at(row: Subscription, interval: str, found: ProviderSubscription) -> datetime | None:
    """Where its periods begin: as before while the provider's period fits, else where that begins.

    The provider's period of Feb 28 may be that of a subscription of Jan 31, whose next is Mar 31.
    A subscription that ended keeps its anchor, so that ending one renews no allowance.
    """
    starts = found.period_starts_at
    if row.status in Subscription.WITHOUT_PLAN or starts is None:
        return row.anchored_at
    is_same = row.anchored_at is not None and row.interval == interval
    if (
        is_same
        and row.anchored_at
        and Anchor(row.anchored_at, interval).around(starts)[0] == starts
    ):
        return row.anchored_at
    return starts


def _still_pending(row: Subscription, found: ProviderSubscription) -> str:
    """A wish is fulfilled once the provider has it; an end that was called off is no wish any more."""
    if found.cancels_at_period_end:
        return FREE
    is_settled = row.pending_plan in {row.plan, FREE} or not found.status.is_live
    return "" if is_settled else row.pending_plan


def _grace(row: Subscription, found: ProviderSubscription, now: datetime) -> datetime | None:
    if found.status is ProviderStatus.UNPAID:
        return min(row.grace_ends_at or now, now)
    if found.status is ProviderStatus.PAST_DUE:
        return row.grace_ends_at or now + GRACE
    return None


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
    row.plan, row.status, row.pending_plan = FREE, Status.EXPIRED, ""
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
        hold_or_release(row, now=now)
    return row is not None


def _claimed(due: QuerySet[Subscription], pk: UUID) -> Subscription | None:
    """The row under its lock, if it is still due and nobody else is at it."""
    return due.select_for_update(skip_locked=True, of=("self",)).filter(pk=pk).first()
