"""What units weigh against a budget: by Python as by PostgreSQL, and by former terms as they were."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.ids import new_id
from config.needs import Meter
from quotas.caps.budgets import budget_at
from quotas.caps.carrying import carry
from quotas.caps.reckoning import reckon
from quotas.caps.weights import Bend, Weight, read
from quotas.entitlements import snapshot
from quotas.models import UsageTotal
from quotas.periods import Anchor
from tests.quotas.capped import ONES, TENTHS, spent, weigh
from tests.quotas.conftest import NOON
from tests.quotas.test_ledger import take
from tests.quotas.test_spend_cap import refused

pytestmark = pytest.mark.django_db
MONTH = datetime(2026, 11, 1, tzinfo=UTC)


def test_a_month_that_ends_in_a_billing_period_weighs_there() -> None:
    tenant_id = new_id()
    weigh(tenant_id, {"emails": ONES, "api_calls": ONES}, anchor=Anchor(datetime(2026, 1, 15, tzinfo=UTC)),
          emails=0, api_calls=0)  # fmt: skip
    found = snapshot(tenant_id, now=NOON)
    parts = [
        (part.meter.value, part.period.date().isoformat()) for part in budget_at(found, NOON).parts
    ]
    assert sorted(parts) == [("api_calls", "2026-11-01"), ("emails", "2026-11-15")]


def test_a_weight_that_falls_or_has_no_order_is_none() -> None:
    for bends in (
        [],
        [[1, 0, 1, 1]],
        [[0, 0, 5, 1], [10, 1, 1, 1]],
        [[0, 0, 1, 0]],
        [[0, 0, -1, 1]],
    ):
        with pytest.raises(ValueError, match="A weight"):
            read({"scale": 1, "bends": bends})


_BENDS = st.lists(
    st.tuples(st.integers(1, 5_000), st.integers(0, 10**9), st.integers(0, 10**9), st.integers(1, 1_000)),
    min_size=1, max_size=4, unique_by=lambda bend: bend[0],
).map(sorted)  # fmt: skip


@given(_BENDS, st.integers(1, 10**12), st.integers(1, 20_000))
@settings(max_examples=100, deadline=None)
def test_postgresql_weighs_as_python_does(bends: list[Any], scale: int, units: int) -> None:
    first = bends[0][0]
    lines = [Bend(after - first, *rest) for after, *rest in bends]
    # A base that never falls below what the units before weigh.
    rising = [lines[0]]
    for line in lines[1:]:
        rising.append(line._replace(base=rising[-1].of(line.after) + line.base))
    weight, tenant_id = Weight(tuple(rising), scale), new_id()
    weigh(tenant_id, {"emails": weight}, cap=10**15, emails=0)
    take(tenant_id, "mails", units, Meter.EMAILS)
    assert spent(tenant_id) == weight.of(units)


def test_what_pages_reckon_is_what_writers_have_written(db: None) -> None:
    tenant_id = new_id()
    weigh(tenant_id, {"emails": TENTHS, "sms": ONES}, cap=1_000, emails=3, sms=0)
    take(tenant_id, "sms", 7, Meter.SMS)
    take(tenant_id, "mails", 30, Meter.EMAILS)
    budget = budget_at(snapshot(tenant_id, now=NOON), NOON)
    assert reckon(tenant_id, budget).spent == spent(tenant_id) == 7 + 2
    assert UsageTotal.objects.filter(tenant_id=tenant_id, period_start=MONTH).count() == 2


def test_what_was_spent_under_former_terms_stays_spent_and_the_rest_is_reckoned_anew(
    db: None,
) -> None:
    tenant_id = new_id()
    weigh(tenant_id, {"emails": ONES}, cap=100, emails=10, sms=9)
    take(tenant_id, "mails", 60, Meter.EMAILS)
    take(tenant_id, "sms", 9, Meter.SMS)

    carry(tenant_id=tenant_id, now=NOON)
    dearer = Weight((Bend(0, 0, 2),))
    weigh(tenant_id, {"emails": dearer, "sms": dearer}, emails=40, sms=0)

    # 50 of before; of the 60 mails 20 are above the new allowance, and were used before it.
    take(tenant_id, "more", 20, Meter.EMAILS)
    take(tenant_id, "more", 4, Meter.SMS)
    assert spent(tenant_id) == 50 + 40 + 8
    assert refused(tenant_id, "too much", 2)["spent"] == 98
    budget = budget_at(snapshot(tenant_id, now=NOON), NOON)
    assert reckon(tenant_id, budget).spent == 98
