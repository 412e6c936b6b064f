"""Asking for what is owed, by degrees, until it is paid or given up.

| after | tried again | restriction | mail |
|---|---|---|---|
| at once | | | payment_failed |
| 1 day | yes | | |
| 3 days | yes | read only | payment_read_only |
| 5 and 7 days | yes | | |
| 10 days | yes | | payment_last_days |
| 14 days | yes | suspended | payment_suspended |
| 21 days | yes | | |
| 28 days | | the subscription ends, what is owed is written off, its last use too | payment_given_up |

One whose subscription has ended already is asked for the last invoices on the same days: nothing is
left to restrict, and in the end they are written off. Days are reckoned from the first failure. Each step is one transaction and is counted in it: whoever is
killed has not taken it, and whoever comes twice finds it taken. Paying ends it at any moment, within
the request that pays (billing/services/overdue.py); paid later still, it recovers what was written off.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from billing import books, providers
from billing.catalogue import FREE
from billing.models import Dunning, Subscription
from billing.services import charging, overdue, states
from billing.services.collecting import promise_collection
from billing.services.granting import grant_beside_plan
from billing.services.grants import entitle
from billing.services.terms import present_terms
from config.celery import later
from config.logs import logger

log = logger(__name__)
_BATCH = 500
Degree = Dunning.Degree


@dataclass(frozen=True, slots=True)
class Step:
    """What is done `after` the first failure. `mail` is a kind of letter, or empty."""

    after: timedelta
    degree: Dunning.Degree = Degree.WARN
    mail: str = ""
    gives_up: bool = False


STEPS = (
    Step(timedelta(days=1)),
    Step(overdue.GRACE, Degree.READ_ONLY, "payment_read_only"),
    Step(timedelta(days=5), Degree.READ_ONLY),
    Step(timedelta(days=7), Degree.READ_ONLY),
    Step(timedelta(days=10), Degree.READ_ONLY, "payment_last_days"),
    Step(timedelta(days=14), Degree.SUSPENDED, "payment_suspended"),
    Step(timedelta(days=21), Degree.SUSPENDED),
    Step(timedelta(days=28), Degree.SUSPENDED, "payment_given_up", gives_up=True),
)


def dun_due(*, now: datetime) -> int:
    """Take the step of each whose time has come; how many those were. One's trouble is not the others'."""
    due = (
        Dunning.objects.due(now).order_by("next_step_at").values_list("subscription_id", flat=True)
    )
    taken = 0
    for pk in list(due[:_BATCH]):
        try:
            taken += take_step(subscription_id=pk, now=now)
        except Exception:  # whatever it was: told, and tried again with the next round
            log.exception("dunning.not_done", extra={"subscription_id": str(pk)})
    return taken


@transaction.atomic
def take_step(*, subscription_id: UUID, now: datetime) -> bool:
    """The next step of one who is overdue; False where none is due, or somebody else is at it."""
    rows = Subscription.objects.select_for_update(skip_locked=True, of=("self",))
    row = rows.filter(pk=subscription_id).first()
    case = Dunning.objects.due(now).filter(subscription=row).first() if row else None
    if row is None or case is None:
        return False
    if not overdue.owed(row) and not row.is_collected:
        return overdue.recover(tenant_id=row.tenant_id, now=now)
    _take(row, case, STEPS[case.steps_done], now)
    return True


def _take(row: Subscription, case: Dunning, step: Step, now: datetime) -> None:
    is_running = row.status == Subscription.Status.PAST_DUE
    case.degree = step.degree if is_running else Degree.WARN
    case.steps_done += 1
    is_last = case.steps_done == len(STEPS)
    case.next_step_at = None if is_last else case.began_at + STEPS[case.steps_done].after
    case.save()
    if step.mail and (is_running or step.gives_up):
        overdue.tell(case, row, step.mail)
    if step.gives_up and is_running:
        _give_up(row, case, now)
    elif step.gives_up:
        _write_off(row, now)
        overdue.end(row, now=now)
    else:
        for invoice in overdue.owed(row):
            promise_collection(invoice_id=invoice.pk, now=now)
        overdue.hold_or_release(row, now=now)
    facts = {"tenant_id": str(row.tenant_id), "step": case.steps_done, "degree": case.degree}
    log.info("dunning.step_taken", extra=facts)


def _write_off(row: Subscription, now: datetime) -> None:
    for invoice in overdue.owed(row):
        books.write_off(invoice_id=invoice.pk, reason="given up", now=now)


def _give_up(row: Subscription, case: Dunning, now: datetime) -> None:
    case.is_given_up = True
    case.save()
    until = min(now, row.billed_until or now)
    is_paid_for = present_terms(row) is not None
    charges = [charging.finish(row, at=until, now=now)] if is_paid_for else []
    was_collected = row.is_collected
    states.move(row, to=Subscription.Status.CANCELLED)
    row.plan = FREE
    overdue.end(row, now=now)
    row.save()
    entitle(tenant_id=row.tenant_id, plan=FREE, now=now)
    grant_beside_plan(row, now=now)
    for charge in charges:
        charging.issue(row, charge, now=now)
    # The last use as well: it was owed, and who did not pay for 28 days is not asked for it anew.
    _write_off(row, now)
    if was_collected:
        later("billing.end_given_up", tenant_id=str(row.tenant_id))


def end_at_provider(*, tenant_id: UUID) -> None:
    """Let the provider collect no more for what was given up. Harmless twice. Raises ProviderDown."""
    row = Subscription.objects.filter(tenant_id=tenant_id).first()
    if row is not None and overdue.was_given_up(row, row.provider_subscription_id):
        gateway = providers.gateway(row.provider)
        gateway.cancel_at_period_end(subscription_id=row.provider_subscription_id)
