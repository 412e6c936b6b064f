"""The drill `reconcile`: a part of a past's events is lost for good; listed, then repaired, it ends the same."""

import random
from datetime import timedelta
from functools import partial

from billing.models import ProviderDifference
from billing.providers import gateway
from billing.services import reconciling, repairing
from tenants.isolation import square_context
from tests.billing.collected import obey
from tests.drills.ground import Ground
from tests.drills.money import Past, end_of, pasts, tried, work
from tests.drills.outcome import Outcome
from tests.drills.webhooks import deliver

TENANTS = 2
_LOOK_BACK = timedelta(days=40)
_LATER = timedelta(minutes=15)


def run(ground: Ground, n: int) -> Outcome:
    """`n` histories of which each event is lost with a chance of its own, by turns at Stripe and PayPal."""
    outcome, dice = Outcome("reconcile"), ground.chance("reconcile")
    unrepaired = 0
    with square_context(), pasts(*ground.tenants) as made:
        expected = [tried(past, partial(deliver, past, past.events, dice)) for past in made]
        for number in range(n):
            past, wanted = made[number % len(made)], expected[number % len(made)]
            unrepaired += _one(outcome, past, wanted, dice)
            outcome.n += 1
    outcome.remarks.append(f"{unrepaired} of {n} ended elsewhere before they were repaired")
    if not unrepaired:
        outcome.vain.append("nothing that was lost made a difference")
    return outcome


def _one(outcome: Outcome, past: Past, wanted: object, dice: random.Random) -> bool:
    """Whether it stood elsewhere before the repair."""
    kept = [event for event in past.events if dice.random() < dice.choice((0.0, 0.3, 0.7, 0.95))]
    seen: list[object] = []

    def play() -> None:
        deliver(past, kept, dice)
        seen.append(end_of(past))
        account, now = gateway(past.provider), past.now + _LATER
        reconciling.reconcile(account, now=now, look_back=_LOOK_BACK)
        seen.append(end_of(past))
        repairing.repair_all(provider=past.provider, now=now)
        work(now)
        obey(now=now)
        # What nobody told is told by nothing but the events: a second look finds nothing.
        reconciling.reconcile(account, now=now, look_back=_LOOK_BACK)
        seen.append(ProviderDifference.objects.filter(gone_at=None).count())

    with outcome.timed():
        found = tried(past, play)
    before, listed, left = seen
    if listed != before:
        outcome.double(f"{past.provider}: a reconciliation changed {before} to {listed}")
    if found != wanted or left:
        outcome.lose(f"{past.provider}: {found} with {left} differences is not {wanted}")
    return before != wanted
