"""The drill `killmoney`: a checkout, a change, a period's end and a step of dunning, each killed at every point of it.

A point is an SQL statement, or a call of the provider, before it is sent or after it was answered. At each,
a process of its own works for an account of its own and ends there by SIGKILL. Then whoever asked asks
again, and the clock sweeps up. Where that ends must be where an undisturbed account ends: the same
invoices, the same entries in the books, and at Stripe the same charges.

`--n` is the most points of each journey: calls of the provider come first, then statements evenly.
"""

import logging
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from django.test import override_settings

from billing.books.checking import faults
from tenants.isolation import square_context
from tests.drills.ground import Ground
from tests.drills.killing import Point, killed_at, points_of
from tests.drills.killmoney_accounts import JOURNEYS, Buyer, Journey, end_of, made_buyer, recover
from tests.drills.money import price_for
from tests.drills.outcome import Outcome
from tests.standins.stripe import StripeStandin

TENANTS = 0


@dataclass(slots=True)
class Tried:
    """How many points of a journey there are, and how many of them ended a process."""

    points: int = 0
    killed: int = 0


def run(ground: Ground, n: int) -> Outcome:
    """At most `n` points of each journey."""
    outcome = Outcome("killmoney")
    # Stripe's clock is behind ours, so it refuses what is mirrored: that is no news here.
    logging.getLogger("billing.providers.stripe_calls").setLevel(logging.CRITICAL)
    with ExitStack() as running:
        stripe = running.enter_context(StripeStandin())
        running.enter_context(
            override_settings(
                STRIPE_API_KEY="sk_test_drill", STRIPE_API_BASE=stripe.url, PAYPAL_CLIENT_ID=""
            )
        )
        running.enter_context(square_context())
        for plan in ("starter", "growth"):
            price_for("stripe", plan)
        for journey in JOURNEYS:
            tried = _drill(outcome, stripe, journey, n)
            told = f"{journey.name}: killed at {tried.killed} of {tried.points} points"
            outcome.remarks.append(told)
            if not tried.killed:
                outcome.vain.append(f"{journey.name} was never killed")
        for fault in faults():
            outcome.leak(f"books: {fault}")
    return outcome


def _drill(outcome: Outcome, stripe: StripeStandin, journey: Journey, n: int) -> Tried:
    undisturbed = _begun(stripe, journey)
    points = points_of(lambda: journey.act(undisturbed))
    expected = end_of(undisturbed)
    if expected["waiting"] or not expected["charges"]:
        outcome.vain.append(f"{journey.name}, undisturbed, ends as {expected}")
    tried = Tried(len(points))
    for point in _chosen(points, n):
        buyer = _begun(stripe, journey)
        outcome.n += 1
        with outcome.timed():
            tried.killed += killed_at(point, partial(journey.act, buyer))
            recover(journey, buyer)
        _compare(outcome, f"{journey.name} at {point}", expected, end_of(buyer))
    return tried


def _begun(stripe: StripeStandin, journey: Journey) -> Buyer:
    buyer = made_buyer(stripe)
    journey.before(buyer)
    return buyer


def _chosen(points: list[Point], most: int) -> list[Point]:
    """Calls first; of statements so many, evenly, as are left."""
    calls = [point for point in points if point.is_call]
    statements = [point for point in points if not point.is_call]
    if len(calls) >= most:
        return [calls[len(calls) * turn // most] for turn in range(most)]
    left = min(most - len(calls), len(statements))
    return calls + [statements[len(statements) * turn // left] for turn in range(left)]


def _compare(
    outcome: Outcome, told: str, expected: dict[str, object], found: dict[str, object]
) -> None:
    for name, value in expected.items():
        if found[name] == value:
            continue
        is_more = name == "charges" and len(str(found[name])) > len(str(value))
        word = outcome.double if is_more else outcome.lose
        word(f"{told}: {name} {found[name]} instead of {value}")
