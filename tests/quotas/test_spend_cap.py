"""A budget of each billing period: what is above the included weighs, and never above the cap."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from config.ids import new_id
from config.needs import Meter
from quotas import correcting, ledger, reporting
from quotas.caps.services import cap_spending
from quotas.caps.weights import Bend, Weight
from quotas.merging import Cap
from quotas.models import UsageEvent
from quotas.periods import Anchor
from quotas.refusals import QuotaExceeded, SpendCapReached
from quotas.reporting import UsageReport
from tests.quotas.capped import ONES, TENTHS, spent, weigh
from tests.quotas.conftest import NOON
from tests.quotas.test_ledger import give_back, take, used

pytestmark = pytest.mark.django_db
MONTH = datetime(2026, 11, 1, tzinfo=UTC)


def refused(
    tenant_id: Any, key: str, quantity: int = 1, meter: Meter = Meter.EMAILS
) -> dict[str, Any]:
    with pytest.raises(SpendCapReached) as raised:
        take(tenant_id, key, quantity, meter)
    return raised.value.facts


def report(tenant_id: Any, key: str, quantity: int, at: datetime = NOON, meter: str = "emails"):
    return UsageReport(key=key, meter=meter, occurred_at=at, quantity=quantity)


def test_what_is_included_costs_nothing_and_the_last_cent_is_usable_but_no_more(db: None) -> None:
    tenant_id = new_id()
    weigh(tenant_id, {"emails": ONES}, cap=5, emails=100)
    take(tenant_id, "included", 100, Meter.EMAILS)
    take(tenant_id, "beyond", 5, Meter.EMAILS)

    told = refused(tenant_id, "one more")

    assert told == {
        "meter": "emails", "cap": 5, "spent": 5, "currency": "USD", "asked": 1,
        "resets_at": "2026-12-01T00:00:00Z",
    }  # fmt: skip
    assert (used(tenant_id, Meter.EMAILS), spent(tenant_id)) == (105, 5)


def test_a_refused_key_is_unused_and_may_come_again_under_a_raised_cap(db: None) -> None:
    tenant_id = new_id()
    weigh(tenant_id, {"emails": ONES}, cap=1, emails=0)
    refused(tenant_id, "mail", 2)
    assert not UsageEvent.objects.filter(tenant_id=tenant_id).exists()

    cap_spending(tenant_id=tenant_id, cap=Cap(2, "USD"), by="", now=NOON)
    take(tenant_id, "mail", 2, Meter.EMAILS)
    take(tenant_id, "mail", 2, Meter.EMAILS)

    assert (used(tenant_id, Meter.EMAILS), spent(tenant_id)) == (2, 2)


def test_a_meter_without_a_weight_stays_hard_and_one_with_it_is_soft_without_a_cap(
    db: None,
) -> None:
    tenant_id = new_id()
    weigh(tenant_id, {"emails": ONES}, emails=1, sms=1)
    take(tenant_id, "mails", 1_000, Meter.EMAILS)
    take(tenant_id, "sms", 1, Meter.SMS)
    with pytest.raises(QuotaExceeded):
        take(tenant_id, "another", 1, Meter.SMS)
    shown = {each.meter: each for each in ledger.usage(tenant_id=tenant_id, now=NOON)}
    assert [(each.hard, each.is_billed) for each in (shown[Meter.EMAILS], shown[Meter.SMS])] == [
        (False, True), (True, False),
    ]  # fmt: skip


def test_a_sum_is_rounded_and_never_each_event(db: None) -> None:
    tenant_id = new_id()
    weigh(tenant_id, {"emails": TENTHS}, cap=1, emails=0)
    # 10 units at a tenth and 9 at a twentieth are 1.45: each alone would round to nothing for ever.
    for number in range(19):
        take(tenant_id, f"mail:{number}", 1, Meter.EMAILS)
    assert spent(tenant_id) == 1
    # 1.5 is 2, half to even.
    assert refused(tenant_id, "mail:19")["spent"] == 1
    assert used(tenant_id, Meter.EMAILS) == 19


def test_all_meters_share_one_budget_and_what_is_given_back_is_free_again(db: None) -> None:
    tenant_id = new_id()
    weigh(tenant_id, {"emails": ONES, "sms": Weight((Bend(0, 0, 4),))}, cap=10, emails=0, sms=0)
    take(tenant_id, "sms", 2, Meter.SMS)
    take(tenant_id, "mails", 2, Meter.EMAILS)
    assert refused(tenant_id, "mail")["spent"] == 10
    give_back(tenant_id, "sms", 1, Meter.SMS)
    take(tenant_id, "mail", 4, Meter.EMAILS)
    assert refused(tenant_id, "sms again", 1, Meter.SMS)["spent"] == 10


def test_a_cap_below_what_is_spent_takes_nothing_away_and_lets_the_included_go_on(db: None) -> None:
    tenant_id = new_id()
    weigh(tenant_id, {"emails": ONES, "sms": ONES}, cap=10, emails=0, sms=5)
    take(tenant_id, "mails", 8, Meter.EMAILS)
    cap_spending(tenant_id=tenant_id, cap=Cap(3, "USD"), by="", now=NOON)
    assert refused(tenant_id, "mail") | {"resets_at": None} == {
        "meter": "emails", "cap": 3, "spent": 8, "currency": "USD", "asked": 1, "resets_at": None,
    }  # fmt: skip
    take(tenant_id, "sms", 5, Meter.SMS)
    assert (used(tenant_id, Meter.EMAILS), used(tenant_id, Meter.SMS)) == (8, 5)


def test_a_cap_of_another_currency_lets_nothing_above_the_included_pass(db: None) -> None:
    tenant_id = new_id()
    weigh(tenant_id, {"emails": ONES}, cap=10, emails=1)
    weigh(tenant_id, {"emails": ONES}, unit="EUR", emails=1)
    take(tenant_id, "mail", 1, Meter.EMAILS)
    assert refused(tenant_id, "another")["cap"] == 0


def test_the_next_period_has_a_budget_of_its_own(db: None) -> None:
    tenant_id, anchor = new_id(), Anchor(datetime(2026, 10, 22, tzinfo=UTC))
    weigh(tenant_id, {"emails": ONES}, cap=1, anchor=anchor, emails=0)
    take(tenant_id, "mail", 1, Meter.EMAILS)
    refused(tenant_id, "another")
    take(tenant_id, "another", 1, Meter.EMAILS, now=NOON + timedelta(days=1))
    assert spent(tenant_id) == 2


def test_a_batch_of_reports_is_taken_as_far_as_the_budget_goes(db: None) -> None:
    tenant_id = new_id()
    weigh(tenant_id, {"emails": ONES}, cap=10, emails=2)
    asked = [
        report(tenant_id, key, quantity) for key, quantity in zip("abcd", (7, 6, 5, 1), strict=True)
    ]

    first = reporting.record(tenant_id=tenant_id, reports=asked, now=NOON)
    again = reporting.record(tenant_id=tenant_id, reports=asked, now=NOON)

    told = [[getattr(each, "code", "stored") for each in outcome] for outcome in (first, again)]
    assert told == [["stored", "spend_cap_reached", "stored", "spend_cap_reached"]] * 2
    assert [first[1].facts["spent"], first[3].facts["spent"]] == [5, 10]  # type: ignore[union-attr]
    assert (used(tenant_id, Meter.EMAILS), spent(tenant_id)) == (12, 10)


def test_late_usage_weighs_against_the_budget_of_its_own_period(db: None) -> None:
    tenant_id, anchor = new_id(), Anchor(datetime(2026, 10, 20, tzinfo=UTC))
    weigh(tenant_id, {"emails": ONES}, cap=3, anchor=anchor, emails=0)
    before = datetime(2026, 11, 19, 23, tzinfo=UTC)
    outcomes = reporting.record(
        tenant_id=tenant_id,
        reports=[
            report(tenant_id, "late", 3, before),
            report(tenant_id, "now", 3),
            report(tenant_id, "x", 1, before),
        ],
        now=NOON,
    )
    assert [getattr(each, "code", "stored") for each in outcomes] == [
        "stored", "stored", "spend_cap_reached",
    ]  # fmt: skip


def test_a_correction_upward_meets_the_cap_and_one_downward_makes_room(db: None) -> None:
    tenant_id = new_id()
    weigh(tenant_id, {"emails": ONES}, cap=5, emails=0)
    reporting.record(tenant_id=tenant_id, reports=[report(tenant_id, "a", 4)], now=NOON)

    def correct(key: str, quantity: int) -> None:
        correcting.correct(
            tenant_id=tenant_id, event_key="a", key=key, quantity=quantity, reason="r", now=NOON
        )

    with pytest.raises(SpendCapReached) as raised:
        correct("up", 2)
    assert (raised.value.facts["spent"], used(tenant_id, Meter.EMAILS)) == (4, 4)
    correct("down", -3)
    correct("up", 4)
    assert (used(tenant_id, Meter.EMAILS), spent(tenant_id)) == (5, 5)


def test_a_writer_that_rolls_back_has_spent_nothing(db: None) -> None:
    tenant_id = new_id()
    weigh(tenant_id, {"emails": ONES}, cap=1, emails=0)
    with transaction.atomic():
        take(tenant_id, "mail", 1, Meter.EMAILS)
        transaction.set_rollback(True)
    assert spent(tenant_id) == 0
    take(tenant_id, "mail", 1, Meter.EMAILS)
