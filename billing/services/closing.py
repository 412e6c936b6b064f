"""The end of a billing period: its use is billed, and the next begins, or what was paid for ends.

One period of one subscription is one transaction: who is killed in it has closed nothing. A second
closer passes over a row that another holds, and finds a closed period not due any more.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from billing import books
from billing.catalogue import FREE
from billing.models import Invoice, Subscription, SubscriptionChange
from billing.rating.terms import Terms
from billing.services import charging, consenting, overdue, states, switching
from billing.services.granting import grant_beside_plan
from billing.services.grants import entitle
from billing.services.terms import present_terms, renewed
from billing.services.usage_facts import tenants_with_late_use
from billing.services.wishes import open_change, settle_change
from config.logs import logger

log = logger(__name__)
_BATCH = 500
# Who is billed later than so finds late use in an invoice of its own, and in one within so long.
_MONTH = timedelta(days=31)
Status = Subscription.Status
Change = SubscriptionChange.Status


def close_due(*, now: datetime, most: int = _BATCH) -> int:
    """Close every period that is over, the oldest first; how many that were. One's trouble is not the others'."""
    due = Subscription.objects.period_over(now).order_by("billed_until")
    closed = 0
    for pk in list(due.values_list("pk", flat=True)[:most]):
        try:
            while close(subscription_id=pk, now=now):
                closed += 1
        except Exception:  # whatever it was: told, and tried again with the next round
            log.exception("period.not_closed", extra={"subscription_id": str(pk)})
    return closed


@transaction.atomic
def close(*, subscription_id: UUID, now: datetime) -> bool:
    """Close the oldest period that is over; False where none is, or somebody else is at it."""
    due = Subscription.objects.period_over(now)
    row = due.select_for_update(skip_locked=True, of=("self",)).filter(pk=subscription_id).first()
    if row is not None:
        _close(row, now)
    return row is not None


def bill_late_use(*, now: datetime) -> int:
    """Bill what came late of those who pay for nothing any more, or for a year; others find it in the next invoice."""
    rows = _without_next_invoice(now).filter(tenant_id__in=tenants_with_late_use(now=now))
    return sum(_bill_late(pk, now) for pk in list(rows.values_list("pk", flat=True)[:_BATCH]))


def _without_next_invoice(now: datetime) -> QuerySet[Subscription]:
    return Subscription.objects.filter(Q(billed_until=None) | Q(billed_until__gt=now + _MONTH))


@transaction.atomic
def _bill_late(pk: UUID, now: datetime) -> bool:
    rows = _without_next_invoice(now).select_for_update(skip_locked=True, of=("self",))
    row = rows.filter(pk=pk).first()
    if row is None or _was_told_of_late_use(row, now):
        return False
    charge = charging.late(row, now=now)
    if charge is None:
        return False
    invoice = charging.issue(row, charge, now=now)
    if invoice is not None and overdue.was_given_up(row, row.provider_subscription_id):
        books.write_off(invoice_id=invoice.pk, reason="given up", now=now)
    return True


def _was_told_of_late_use(row: Subscription, now: datetime) -> bool:
    """Whether who pays for a year had such an invoice within the month: late events are no invoice each."""
    told = Invoice.objects.filter(
        tenant_id=row.tenant_id, key__startswith=charging.late_key(row), issued_at__gt=now - _MONTH
    )
    return row.billed_until is not None and told.exists()


def catch_up(row: Subscription, *, now: datetime) -> None:
    """Close what is over of a row that the caller has locked, before anything else is done to it."""
    while row.billed_until is not None and row.billed_until <= now:
        _close(row, now)


def _close(row: Subscription, now: datetime) -> None:
    terms = present_terms(row)
    if terms is None or row.billed_until is None:
        raise ValueError(f"{row.pk}: nothing is paid for")
    next_terms = _next(row, terms)
    if next_terms is None:
        _end(row, now)
    else:
        _renew(row, terms, next_terms, now)
    facts = {"tenant_id": str(row.tenant_id), "plan": row.plan, "status": str(row.status)}
    log.info("period.closed", extra=facts)


def _next(row: Subscription, present: Terms) -> Terms | None:
    """What the next period has; None where there is none."""
    change = open_change(row)
    waiting = change if change and change.status == Change.SCHEDULED else None
    terms = Terms.read(waiting.terms) if waiting else present
    if row.cancels_at_period_end or terms.plan == FREE:
        return None
    return renewed(row, terms)


def _end(row: Subscription, now: datetime) -> None:
    """The end that was asked for. The provider was told then, and its word of it finds it done."""
    until = row.billed_until or now
    charge = charging.finish(row, at=until, now=now)
    settle_change(row, to=Change.DONE, now=now)
    states.move(row, to=Status.CANCELLED)
    row.plan = FREE
    overdue.end(row, now=now)
    row.save()
    charging.issue(row, charge, now=now)
    entitle(tenant_id=row.tenant_id, plan=FREE, now=now)
    grant_beside_plan(row, now=now)


def _renew(row: Subscription, before: Terms, terms: Terms, now: datetime) -> None:
    charges = charging.go_on(row, terms=terms, now=now)
    row.plan = terms.plan
    waiting = open_change(row)
    # One that waits for its buyer's consent goes on waiting, whatever else changes.
    if waiting is not None and waiting.status == Change.SCHEDULED:
        settle_change(row, to=Change.DONE, now=now)
    row.save()
    if terms.currency != before.currency:
        switching.promise(row, now=now)
    if terms != before:
        consenting.take_less(row, before, terms, now=now)
        entitle(tenant_id=row.tenant_id, plan=terms.plan, now=now)
        grant_beside_plan(row, now=now)
    for charge in charges:
        charging.issue(row, charge, now=now)
