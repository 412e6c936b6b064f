"""The provider's word on a subscription, made ours: what is paid for begins, changes and ends with it.

The provider tells which price it has for the tenant, that is plan, interval and currency. Seats,
add-ons, coupons and what waits for the period's end are ours alone.
"""

from datetime import datetime

from billing.catalogue import FREE
from billing.models import ProviderPrice, Subscription, SubscriptionChange
from billing.providers.base import ProviderSubscription
from billing.rating.terms import Terms
from billing.services import charging, consenting
from billing.services.charging import Charge
from billing.services.terms import plain_terms, present_terms
from billing.services.wishes import carry_over, open_change, quoted, settle_change
from quotas.periods import Anchor

Status = Subscription.Status
Change = SubscriptionChange.Status


def follow_provider(
    row: Subscription, *, price: ProviderPrice, found: ProviderSubscription, now: datetime
) -> list[Charge]:
    """Set plan, interval, currency and anchor as the provider's word has it; what is to be billed of it.

    The status was set before. The row is locked by the caller, who saves it, grants its plan and
    issues the charges.
    """
    terms = present_terms(row)
    if row.status in Subscription.WITHOUT_PLAN:
        return _end(row, terms, now)
    if terms is None:
        return _start(row, price, found, now)
    return _go_on(row, terms, price, found, now)


def _end(row: Subscription, terms: Terms | None, now: datetime) -> list[Charge]:
    row.plan = FREE
    settle_change(row, to=Change.CALLED_OFF, now=now)
    if terms is None:
        return []
    return [charging.finish(row, at=min(now, row.billed_until or now), now=now)]


def _start(
    row: Subscription, price: ProviderPrice, found: ProviderSubscription, now: datetime
) -> list[Charge]:
    """A trial at the provider costs nothing yet; the first paid period is billed when it begins."""
    row.anchored_at = _anchored_at(row, price.interval, found)
    row.plan, row.interval, row.currency = price.plan, price.interval, price.currency
    row.catalogue_version = None
    if row.status == Status.TRIALING or found.period_starts_at is None:
        return []
    terms = plain_terms(row, plan=price.plan)
    return [charging.begin(row, terms=terms, at=found.period_starts_at, now=now)]


def _anchored_at(row: Subscription, interval: str, found: ProviderSubscription) -> datetime | None:
    """Where its periods begin: as before while the provider's period fits, else where that begins.

    The provider's period of Feb 28 may be that of a subscription of Jan 31, whose next is Mar 31.
    A subscription that ended keeps its anchor, so that ending one renews no allowance.
    """
    starts = found.period_starts_at
    if starts is None or row.status in Subscription.WITHOUT_PLAN:
        return row.anchored_at
    if row.anchored_at is None or row.interval != interval:
        return starts
    fits = Anchor(row.anchored_at, interval).around(starts)[0] == starts
    return row.anchored_at if fits else starts


def _go_on(
    row: Subscription,
    terms: Terms,
    price: ProviderPrice,
    found: ProviderSubscription,
    now: datetime,
) -> list[Charge]:
    change = open_change(row)
    wanted = Terms.read(change.terms) if change else None
    if change and wanted and _is_of(wanted, price) and consenting.is_given(change, found):
        return _agreed(row, change, wanted, now)
    if _is_of(terms, price):
        consenting.take_back(row, found, now=now)
        return []
    # Changed at the provider itself, on its own pages: what was waiting here holds no more.
    settle_change(row, to=Change.CALLED_OFF, now=now)
    if price.currency != terms.currency:
        return [*_end(row, terms, now), *_start(row, price, found, now)]
    return [_change_at_provider(row, terms, price, found, now)]


def _agreed(
    row: Subscription, change: SubscriptionChange, wanted: Terms, now: datetime
) -> list[Charge]:
    """The provider has what was asked of it: more holds now, less waits for the period's end."""
    if change.status == Change.SCHEDULED:
        return []
    at = quoted(row, change, now=now)
    settle_change(row, to=Change.DONE, now=now)
    charge = _change(row, wanted, at, f"change:{change.pk}", now)
    consenting.schedule_rest(row, change, now=now)
    return [charge]


def _change_at_provider(
    row: Subscription,
    terms: Terms,
    price: ProviderPrice,
    found: ProviderSubscription,
    now: datetime,
) -> Charge:
    is_new_period = price.interval != terms.interval
    at = found.period_starts_at if is_new_period and found.period_starts_at else now
    at = quoted(row, None, now=at)
    new = carry_over(row, terms, plan=price.plan, interval=price.interval)
    key = f"change:{row.pk}:{at.isoformat()}:{new.plan}:{new.interval}"
    return _change(row, new, at, key, now)


def _change(row: Subscription, terms: Terms, at: datetime, key: str, now: datetime) -> Charge:
    charge = charging.change(row, terms=terms, at=at, key=key, now=now)
    row.plan, row.interval = terms.plan, terms.interval
    return charge


def _is_of(terms: Terms, price: ProviderPrice) -> bool:
    told = (price.plan, price.interval, price.currency)
    return (terms.plan, terms.interval, terms.currency) == told
