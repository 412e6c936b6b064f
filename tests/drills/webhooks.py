"""The drill `webhooks`: all events of a past, permuted, doubled and delayed by days: one and the same end."""

import random
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from billing.providers.base import VerifiedEvent
from billing.services import inbox
from tenants.isolation import square_context
from tests.drills.ground import Ground
from tests.drills.money import Past, end_of, pasts, tried, work
from tests.drills.outcome import Outcome

TENANTS = 2
_MOST_COPIES = 3
_MOST_DAYS = 3


def run(ground: Ground, n: int) -> Outcome:
    """`n` histories, by turns at Stripe and at PayPal."""
    outcome, dice = Outcome("webhooks"), ground.chance("webhooks")
    with square_context(), pasts(*ground.tenants) as made:
        begun = [end_of(past) for past in made]
        expected = [tried(past, partial(_in_order, past)) for past in made]
        for past, before, after in zip(made, begun, expected, strict=True):
            _check(outcome, past, before, after)
        for number in range(n):
            past = made[number % len(made)]
            with outcome.timed():
                found = tried(past, partial(_in_any_order, past, dice))
            if found != expected[number % len(made)]:
                outcome.lose(f"{past.provider} {number}: {found} is not {expected[number % 2]}")
            outcome.n += 1
    return outcome


def _check(outcome: Outcome, past: Past, before: object, after: object) -> None:
    outcome.remarks.append(f"{past.provider}: {len(past.events)} events end in {after}")
    if before == after:
        outcome.vain.append(f"the events of {past.provider} change nothing")


def _in_order(past: Past) -> None:
    for event in past.events:
        inbox.keep(event, now=past.now)
        work(past.now)


def _in_any_order(past: Past, dice: random.Random) -> None:
    """Each event one to three times, in any order, some handled at once and others days later."""
    deliver(
        past, [event for event in past.events for _ in range(dice.randint(1, _MOST_COPIES))], dice
    )


def deliver(past: Past, events: Sequence[VerifiedEvent], dice: random.Random) -> None:
    shuffled = dice.sample(events, len(events))
    for event in shuffled:
        inbox.keep(event, now=past.now)
        if dice.random() < 0.5:
            work(past.now + timedelta(days=dice.randint(0, _MOST_DAYS)))
    work(past.now + timedelta(days=_MOST_DAYS))
