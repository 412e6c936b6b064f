"""Being overdue: where it begins, what it restricts, and its end within the transaction that pays."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from billing.models import Dunning, Invoice, Subscription
from billing.services import states
from config.logs import logger
from config.needs import Role
from quotas import entitlements
from quotas.refusals import READ_ONLY, SubscriptionPastDue
from tenants.mails import post

log = logger(__name__)
# How long everything goes on as before, while payment is tried again.
GRACE = timedelta(days=3)
Status, Degree = Subscription.Status, Dunning.Degree
_READERS = (Role.OWNER, Role.BILLING)
_HOLDS = {Degree.READ_ONLY: READ_ONLY, Degree.SUSPENDED: SubscriptionPastDue.code}


@transaction.atomic
def payment_failed(*, tenant_id: UUID, now: datetime) -> bool:
    """Begin to ask for what is owed; False where that is going on, or nothing is. Harmless twice.

    Who pays for nothing any more is asked for the last invoices: the state stays, nothing is restricted.
    """
    row = Subscription.objects.select_for_update().filter(tenant_id=tenant_id).first()
    if row is not None and row.status == Status.CANCELLED and owed(row):
        return _ask(row, now)
    if row is None or row.status not in {Status.ACTIVE, Status.PAST_DUE}:
        return False
    is_new = begin(row, now=now)
    if is_new:
        row.save()
    return is_new


def begin(row: Subscription, *, now: datetime) -> bool:
    """The same within a transaction that has the row's lock; the caller saves it."""
    if row.grace_ends_at is None:
        # Asked for since before, of a subscription that ended: this one's days begin now.
        row.dunnings.filter(ended_at=None).update(ended_at=now, next_step_at=None)
    states.move(row, to=Status.PAST_DUE)
    row.grace_ends_at = row.grace_ends_at or now + GRACE
    return _ask(row, now)


def _ask(row: Subscription, now: datetime) -> bool:
    made, is_new = Dunning.objects.get_or_create(
        subscription=row,
        ended_at=None,
        defaults={"began_at": now, "next_step_at": now + timedelta(days=1)},
    )
    if is_new:
        tell(made, row, "payment_failed")
        log.info("dunning.began", extra={"tenant_id": str(row.tenant_id)})
    return is_new


def present(row: Subscription) -> Dunning | None:
    """The time of being overdue that has not ended; None where nothing is owed."""
    return row.dunnings.filter(ended_at=None).first()


def owed(row: Subscription) -> list[Invoice]:
    """Invoices that are open, the oldest first: each is due when it is issued."""
    rows = Invoice.objects.filter(tenant_id=row.tenant_id, status=Invoice.Status.OPEN)
    return list(rows.order_by("due_at", "pk"))


def was_given_up(row: Subscription, subscription_id: str) -> bool:
    """Whether dunning ended what this subscription of the provider's paid for, which may not know it yet."""
    if row.status != Status.CANCELLED or row.provider_subscription_id != subscription_id:
        return False
    last = row.dunnings.order_by("-began_at").first()
    return last is not None and last.is_given_up


@transaction.atomic
def recover(*, tenant_id: UUID, now: datetime) -> bool:
    """Lift every restriction once nothing is owed any more; the next request sees it. Harmless twice."""
    row = Subscription.objects.select_for_update().filter(tenant_id=tenant_id).first()
    if row is None or owed(row):
        return False
    if row.status == Status.PAST_DUE:
        states.move(row, to=Status.ACTIVE)
    elif present(row) is None:
        return False
    end(row, now=now)
    row.save()
    return True


def go_on_or_end(row: Subscription, *, now: datetime) -> None:
    """Nothing is paid for that could be held: what is owed goes on being asked for. The caller saves the row."""
    if present(row) is None or not owed(row):
        end(row, now=now)
        return
    row.grace_ends_at = None
    hold_or_release(row, now=now)


def end(row: Subscription, *, now: datetime) -> None:
    """Let nothing be asked for any more. The caller has the row's lock, has set its state and saves it."""
    row.grace_ends_at = None
    case = present(row)
    if case is not None:
        case.ended_at, case.next_step_at = now, None
        case.save()
        if row.status == Status.ACTIVE:
            tell(case, row, "payment_recovered")
        log.info("dunning.ended", extra={"tenant_id": str(row.tenant_id)})
    hold_or_release(row, now=now)


def hold_or_release(row: Subscription, *, now: datetime) -> None:
    """Hold the tenant as far as it is overdue, release any other. Writes only what changes."""
    case = present(row) if row.status == Status.PAST_DUE else None
    is_over = row.grace_ends_at is not None and row.grace_ends_at <= now
    degree = Degree(case.degree) if case else Degree.WARN
    if is_over and degree == Degree.WARN:
        degree = Degree.READ_ONLY
    wanted = _HOLDS.get(degree)
    held = entitlements.snapshot(row.tenant_id, now=now).hold
    if held != (wanted or ""):
        entitlements.hold(tenant_id=row.tenant_id, code=wanted)


def tell(case: Dunning, row: Subscription, kind: str) -> None:
    """Promise the mail to those who can pay, once for each kind of this time of being overdue."""
    oldest = next(iter(owed(row)), None)
    due = oldest.amount_due if oldest else None
    post(
        tenant_id=row.tenant_id,
        roles=_READERS,
        kind=kind,
        key=f"{kind}:{case.pk}",
        facts={
            "reference": oldest.reference if oldest else "",
            "amount_minor": due.amount if due else 0,
            "currency": due.currency if due else "",
            "plan": row.plan,
        },
    )
