"""SIGKILL at every statement of a checkout, a change, a period's end and dunning: begun again, all of it happens once."""

import os
import signal
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection

from billing.models import Dunning, Invoice, Subscription, SubscriptionChange, SubscriptionSpan
from billing.services import amending, closing, collecting
from billing.services.dunning import dun_due
from billing.services.subscriptions import sync_from_provider
from billing.services.wishes import Wish
from tenants.models import Mail
from tests.billing.conftest import pay
from tests.billing.paying import FEB_28, JAN_31, paying, use
from tests.client import member_of

pytestmark = pytest.mark.django_db(transaction=True)
_MOST_KILLS = 12


class Statements:
    """Counts statements; kills the process before the one of number `last`."""

    def __init__(self, last: int = 0) -> None:
        self.last, self.seen = last, 0

    def __call__(self, execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        self.seen += 1
        if self.seen == self.last:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(sql, params, many, context)


def killed_before(number: int, act: Callable[[], Any]) -> bool:
    """Another process begins `act` and is killed before statement `number`; False where it ended before."""
    connection.close()  # a connection is one process's
    child = os.fork()
    if child == 0:
        try:
            with connection.execute_wrapper(Statements(number)):
                act()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def facts() -> dict[str, Any]:
    """What money could see: terms, invoices with their lines, steps and mails."""
    rows = Subscription.objects.values_list("plan", "status", "billed_until", "pending_plan")
    return {
        "subscriptions": sorted(map(str, rows)),
        "spans": sorted(map(str, SubscriptionSpan.objects.values_list("terms", "ends_at"))),
        "invoices": [
            (each.number, each.total_minor, list(each.lines.values_list("kind", "amount_minor")))
            for each in Invoice.objects.order_by("number")
        ],
        "changes": list(SubscriptionChange.objects.order_by("pk").values_list("status", flat=True)),
        "dunning": list(Dunning.objects.values_list("steps_done", "degree")),
        "mails": list(Mail.objects.order_by("pk").values_list("kind", flat=True)),
    }


def kill_everywhere(act: Callable[[], Any]) -> tuple[dict[str, Any], int]:
    """Kill it at up to _MOST_KILLS statements, the first and the last among them; then let it end."""
    before = facts()
    counted = Statements()
    with ExitStack() as stack:
        stack.enter_context(connection.execute_wrapper(counted))
        _rolled_back(act)
    steps = sorted({1 + counted.seen * n // _MOST_KILLS for n in range(_MOST_KILLS)})
    left = [facts() for number in steps if killed_before(number, act)]
    act()
    after = facts()
    # Killed once it was committed, it is done; there is no third state.
    assert [each for each in left if each not in (before, after)] == []
    return after, left.count(before)


def _rolled_back(act: Callable[[], Any]) -> None:
    from django.db import transaction

    with transaction.atomic():
        act()
        transaction.set_rollback(True)


def test_a_period_that_is_closed(globex):
    paying(globex)
    use(globex, 900_000_000, at=JAN_31, key="much")

    after, killed = kill_everywhere(lambda: closing.close_due(now=FEB_28))

    assert killed >= 8
    assert [len(lines) for _, _, lines in after["invoices"]] == [1, 2]
    assert closing.close_due(now=FEB_28) == 0
    assert facts() == after


def test_a_change_at_once(globex):
    paying(globex)
    wish = Wish(plan="scale", seats=120, coupon="WELCOME20")

    after, killed = kill_everywhere(
        lambda: amending.change(tenant_id=globex.id, wish=wish, now=JAN_31 + timedelta(days=9))
    )

    assert killed >= 8
    assert [number for number, *_ in after["invoices"]] == [1, 2]
    assert after["changes"] == ["done"]
    assert (
        amending.change(tenant_id=globex.id, wish=wish, now=FEB_28 - timedelta(1)).invoice is None
    )
    assert facts()["invoices"] == after["invoices"]


def test_every_step_of_dunning(globex):
    paying(globex)
    member_of(globex)
    collecting.declined(tenant_id=globex.id, reason="", now=JAN_31)
    for days, done in ((3, 2), (28, 8)):
        while Dunning.objects.get().steps_done < done - 1:
            dun_due(now=JAN_31 + timedelta(days=days))

        after, killed = kill_everywhere(partial(dun_due, now=JAN_31 + timedelta(days)))

        assert killed >= 6
        assert after["dunning"][0][0] == done
    assert after["mails"] == [
        "payment_failed", "payment_read_only", "payment_last_days", "payment_suspended",
        "payment_given_up",
    ]  # fmt: skip


def test_a_checkout_that_was_paid(shop, api, globex, now):
    pay(api(globex).post("/api/v1/checkout", {"plan": "growth"})["url"])
    (bought,) = shop.account.find("subscription")

    after, killed = kill_everywhere(
        lambda: sync_from_provider(provider="stripe", subscription_id=bought["id"], now=now)
    )

    assert killed >= 8
    assert [(number, total) for number, total, _ in after["invoices"]] == [(1, 9_900)]
    assert Subscription.objects.get(tenant=globex).plan == "growth"
