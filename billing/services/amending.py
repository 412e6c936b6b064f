"""Preview, change, cancel, resume: what a tenant asks of its subscription while it pays for one.

A preview is the change itself in a transaction that is rolled back, so that its amounts are those of
the invoice that follows; `quoted_at` carries the preview's moment over to the change.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.catalogue import FREE
from billing.models import Invoice, Subscription, SubscriptionChange
from billing.rating.terms import Terms
from billing.refusals import ChangeNotOpen, PaymentRequired
from billing.services import charging, consenting, switching
from billing.services.closing import catch_up
from billing.services.coupons import claim
from billing.services.finding import find_plan, subscription_of
from billing.services.granting import grant_beside_plan
from billing.services.grants import entitle
from billing.services.quoting import Quote, quote
from billing.services.terms import present_terms
from billing.services.wishes import (
    Step,
    Wish,
    open_change,
    quote_moment,
    settle_change,
    steps,
    wished,
)
from config.errors import NotFound
from config.logs import logger
from tenants.life import refuse_closing
from tenants.models import Tenant
from tenants.trail import recording
from tenants.trail.actions import Action

log = logger(__name__)
CHECKOUT_PATH = "/api/v1/checkout"
Change = SubscriptionChange.Status


@dataclass(frozen=True, slots=True)
class Amended:
    """The subscription after a wish; where the buyer must consent (or empty); the invoice, if there is one."""

    row: Subscription
    consent_url: str = ""
    invoice: Invoice | None = None


def preview(*, tenant_id: UUID, wish: Wish, now: datetime) -> Quote:
    """What `change` would do and cost. Raises what `change` raises, and asks no provider."""
    with transaction.atomic():
        row, present = _collected(tenant_id, wish, now)
        at = quote_moment(row, wish, now=now)
        step = _step(row, present, wish, now)
        quoted = quote(row, present, step, at=at, now=now)
        transaction.set_rollback(True)
    return quoted


@transaction.atomic
def change(*, tenant_id: UUID, wish: Wish, now: datetime) -> Amended:
    """Let the wish hold: more at once, less from the period's end on.

    Another plan or interval is asked of the provider too, which collects under its price and may want
    the buyer's consent (PayPal, for seats and add-ons too): what is more then waits for its word. Of
    another currency it hears when the period ends (switching.py). Raises NotFound, PaymentRequired,
    TenantClosing, ValidationFailed, SeatsNotSold, SeatsInUse, CouponInvalid, QuoteOutdated,
    PlanNotForSale, CurrencyNotTaken, CurrencyKept, ProviderDown, ProviderNotYet, ProviderRefused.
    """
    row, present = _collected(tenant_id, wish, now)
    at = quote_moment(row, wish, now=now)
    step = _step(row, present, wish, now)
    must_unlearn = _call_off(row, present, now)
    if step == Step():
        consent_url = consenting.ask(row, present, now=now).url if must_unlearn else ""
        row.save()
        return Amended(row, consent_url)
    wanted = step.at_once or step.later or present
    _record(row, present, wanted)
    if consenting.is_told(row, present, wanted):
        return _through_provider(row, step, at, now)
    # What waited before holds no more: the provider unlearns it, whatever else the wish is.
    unlearnt = consenting.ask(row, step.at_once or present, now=now).url if must_unlearn else ""
    invoice = _at_once(row, step.at_once, at, now) if step.at_once else None
    if step.later is not None:
        _wait(row, step.later, Change.SCHEDULED, at, now)
    row.save()
    return Amended(row, unlearnt, invoice)


def _record(row: Subscription, present: Terms, wanted: Terms) -> None:
    asked = recording.Change(before=present.stored(), after=wanted.stored())
    subject = recording.Subject("subscription", row.pk)
    recording.record(Action.PLAN_CHANGE_REQUESTED, subject, asked, tenant_id=row.tenant_id)


def cancel(*, tenant_id: UUID, now: datetime) -> Amended:
    """End the subscription with its period. Raises what `change` raises."""
    return change(tenant_id=tenant_id, wish=Wish(plan=FREE), now=now)


@transaction.atomic
def resume(*, tenant_id: UUID, now: datetime) -> Amended:
    """Call off the end, or whatever else waits. Raises ChangeNotOpen, and what `change` raises."""
    row, present = _collected(tenant_id, Wish(plan=None), now)
    if open_change(row) is None and not row.cancels_at_period_end:
        raise ChangeNotOpen()
    must_unlearn = _call_off(row, present, now)
    consent_url = consenting.ask(row, present, now=now).url if must_unlearn else ""
    row.save()
    return Amended(row, consent_url)


def _collected(tenant_id: UUID, wish: Wish, now: datetime) -> tuple[Subscription, Terms]:
    """The row, locked and up to date, and its terms. Raises PaymentRequired where nothing is paid for yet."""
    is_end = wish.plan == FREE
    if not is_end:
        refuse_closing(Tenant.objects.get(pk=tenant_id))
    row = subscription_of(tenant_id, for_update=True)
    catch_up(row, now=now)
    present = present_terms(row)
    if present is None:
        plan = find_plan(wish.plan).key if wish.plan else row.plan
        raise PaymentRequired(plan=plan, checkout=CHECKOUT_PATH)
    return row, present


def _step(row: Subscription, present: Terms, wish: Wish, now: datetime) -> Step:
    new = wished(row, present, wish)
    if new.currency != present.currency:
        switching.refuse_unsold(row, new)
    if wish.coupon:
        claim(row, code=wish.coupon, now=now, terms=new)
    return steps(present, new)


def _call_off(row: Subscription, present: Terms, now: datetime) -> bool:
    """Whether the provider knows of what waited: then it is to hear the last word."""
    was_told = consenting.was_told(present, open_change(row))
    settle_change(row, to=Change.CALLED_OFF, now=now)
    return was_told or row.cancels_at_period_end


def _through_provider(row: Subscription, step: Step, at: datetime, now: datetime) -> Amended:
    wanted = step.at_once or step.later
    if wanted is None:
        raise NotFound()
    status = Change.PENDING if step.at_once else Change.SCHEDULED
    waiting = _wait(row, wanted, status, at, now)
    asked = consenting.ask(row, wanted, now=now)
    consenting.note(waiting, asked, rest=step.later if step.at_once else None, now=now)
    row.save()
    return Amended(row, asked.url)


def _wait(
    row: Subscription, terms: Terms, status: Change, at: datetime, now: datetime
) -> SubscriptionChange:
    row.pending_plan = terms.plan if terms.plan != row.plan else ""
    return row.changes.create(
        terms=terms.stored(),
        status=status,
        asked_at=now,
        quoted_at=at,
        effective_at=row.billed_until if status == Change.SCHEDULED else None,
    )


def _at_once(row: Subscription, terms: Terms, at: datetime, now: datetime) -> Invoice | None:
    done = row.changes.create(
        terms=terms.stored(), status=Change.DONE, asked_at=now, quoted_at=at, settled_at=now
    )
    charge = charging.change(row, terms=terms, at=at, key=f"change:{done.pk}", now=now)
    row.plan, row.interval = terms.plan, terms.interval
    row.save()
    entitle(tenant_id=row.tenant_id, plan=row.plan, now=now)
    grant_beside_plan(row, now=now)
    log.info("subscription.changed", extra={"tenant_id": str(row.tenant_id), "plan": terms.plan})
    return charging.issue(row, charge, now=now)
