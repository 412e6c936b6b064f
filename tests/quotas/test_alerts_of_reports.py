"""Reported usage and its corrections promise alerts as the writers inside do: of the present period alone."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from config.needs import Meter
from quotas import entitlements
from quotas.alerts.evaluating import evaluate
from quotas.models import UsageTotal
from quotas.periods import Anchor
from tests.client import Api
from tests.quotas.reported import EVENTS, LIMITS, batch, event
from tests.quotas.test_alerts import promised

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _stall(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.quotas.stall_urls"


def promises() -> list[str]:
    return [each["meter"] for each in promised()]


def test_a_report_promises_a_look_when_it_crosses_and_only_then(reporter: Api) -> None:
    seen = []
    for key, quantity in enumerate((4, 1, 2, 1, 1, 1)):  # of 10: the 5th, 8th, 9th and 10th cross
        reporter.post(EVENTS, event(f"e{key}", quantity=quantity))
        seen.append(len(promised()))
    reporter.post(EVENTS, event("e4", quantity=2), status=422)
    reporter.post(EVENTS, event("e6"), status=402)
    assert seen == [0, 1, 1, 2, 3, 4]
    assert promises() == ["emails"] * 4


def test_a_batch_promises_one_look_for_each_meter_that_it_takes_across(
    reporter: Api, tenant: Any, now: datetime
) -> None:
    items = [
        *(event(f"e{n}") for n in range(9)), event("t", "tokens", 49), event("v", "visitors_at_once", 25),
        *(event(f"p{n}", "active_people", properties={"person": who}) for n, who in enumerate("aaab")),
    ]  # fmt: skip
    assert {status for status, _code in batch(reporter, items)} == {201}
    # Two people are fewer than ten, of which the last alone is told; 25 of 50 visitors are half.
    assert sorted(promises()) == ["active_people", "emails", "visitors_at_once"]

    batch(reporter, items)  # all known: nothing rises
    batch(reporter, [event("w", "visitors_at_once", 24), event("e9"), event("e10")])  # one refused
    assert promises()[3:] == ["emails"]
    assert evaluate(tenant_id=tenant.pk, meter=Meter.EMAILS, now=now) == [100]


def test_what_counts_in_a_former_period_promises_nothing(
    reporter: Api, tenant: Any, now: datetime
) -> None:
    yesterday = now - timedelta(days=1)
    entitlements.grant(
        tenant_id=tenant.pk, source="plan", plan="free", features=(), limits=LIMITS,
        rates={"tenant": (6_000, 60)}, ladder={}, feature_ladder={}, now=now,
        anchor=Anchor(yesterday.replace(year=yesterday.year - 4)),
    )  # fmt: skip
    before = event("before", "tokens", 60, occurred_at=yesterday - timedelta(hours=1))

    assert batch(reporter, [before, event("now", "tokens", 49)]) == [(201, "")] * 2
    wish = {"key": "c", "quantity": 30, "reason": "miscounted"}
    reporter.post(f"{EVENTS}/before/corrections", wish)

    rows = UsageTotal.objects.filter(tenant_id=tenant.pk, meter="tokens").order_by("period_start")
    assert list(rows.values_list("used", flat=True)) == [90, 49]
    assert promises() == []
    reporter.post(EVENTS, event("one", "tokens"))
    assert promises() == ["tokens"]


def test_a_correction_promises_a_look_when_it_takes_the_total_across(
    reporter: Api, now: datetime
) -> None:
    def correct(key: str, quantity: int, under: str, status: int = 201) -> None:
        wish = {"key": under, "quantity": quantity, "reason": "miscounted"}
        reporter.post(f"{EVENTS}/{key}/corrections", wish, status=status)

    batch(reporter, [event("e", quantity=4), event("v", "visitors_at_once", 20)])
    correct("e", 3, "c1")
    correct("e", 3, "c1", status=200)
    correct("e", -3, "c2")
    correct("v", 20, "c3")
    assert promises() == ["emails", "visitors_at_once"]
