"""The drill `clock`: two years of tenants on a simulated clock, with faults; each unit is billed once, each number taken.

Every day of 731 each tenant may use tokens (in time, late, or twice under one key), buy and give up seats
and add-ons, go up and down in plan, choose a year, redeem a coupon, cancel, resume and come back; cards
fail for weeks and work again; the provider tells of a payment twice, or days later. Workers that close
periods and dun are cut off at random statements, as a SIGKILL does, and begin again the next day.

`--n` is how many tenants. Everything is decided by the seed.
"""

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from billing.models import Dunning
from billing.services import closing
from billing.services.dunning import dun_due
from tenants.isolation import square_context
from tests.drills.clock_accounts import (
    BEGIN,
    Account,
    collect,
    leave,
    made_account,
    use,
    wish_something,
)
from tests.drills.clock_checks import check, check_books, check_numbers
from tests.drills.ground import Ground
from tests.drills.outcome import Outcome

TENANTS = 0
DAYS = 731
_MOST_STATEMENTS = 120  # of one worker before it is cut off


_MUST_HAPPEN = ("cut off", "late", "twice", "declined", "change", "closed")


class CutOff(BaseException):
    """The worker was killed: nothing that it had not committed is left."""


def run(ground: Ground, n: int) -> Outcome:
    """`n` tenants for two years."""
    outcome, dice = Outcome("clock"), ground.chance("clock")
    seen: Counter[str] = Counter()
    with square_context():
        accounts = [made_account(number, dice) for number in range(n)]
        for day in range(DAYS):
            now = BEGIN + timedelta(days=day, seconds=dice.randrange(3_600))
            with outcome.timed():
                _live(accounts, now, dice, seen)
        _settle(accounts, BEGIN + timedelta(days=DAYS), seen)
        outcome.n = n
        for account in accounts:
            check(outcome, account, now=BEGIN + timedelta(days=DAYS))
        check_numbers(outcome)
        check_books(outcome)
    outcome.remarks.append(", ".join(f"{name}: {count}" for name, count in sorted(seen.items())))
    outcome.vain += [f"nothing was {name}" for name in _MUST_HAPPEN if not seen[name]]
    return outcome


def _live(accounts: list[Account], now: datetime, dice: random.Random, seen: Counter[str]) -> None:
    for account in accounts:
        use(account, now, seen)
        if account.dice.random() < 0.08:
            wish_something(account, now, seen)
    seen["closed"] += _worker(lambda: closing.close_due(now=now), dice, seen)
    seen["late after the end"] += _worker(lambda: closing.bill_late_use(now=now), dice, seen)
    seen["dunned"] += _worker(lambda: dun_due(now=now), dice, seen)
    for account in accounts:
        collect(account, now, seen)


def _worker(work: Callable[[], int], dice: random.Random, seen: Counter[str]) -> int:
    """Let it work; cut off one time in five, then another takes over."""
    if dice.random() < 0.2:
        left = dice.randrange(1, _MOST_STATEMENTS)

        def counted(execute: Any, *given: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                raise CutOff
            return execute(*given)

        try:
            with connection.execute_wrapper(counted):
                return work()
        except CutOff:
            seen["cut off"] += 1
    return work()


def _settle(accounts: list[Account], end: datetime, seen: Counter[str]) -> None:
    """Everything ends: what came late is billed, and what is owed is paid."""
    for account in accounts:
        leave(account, end)
    closing.bill_late_use(now=end)
    for day in range(0, 70, 5):
        for account in accounts:
            account.fails_until = BEGIN
            collect(account, end + timedelta(days=day), seen)
    seen["given up"] = Dunning.objects.filter(is_given_up=True).count()
