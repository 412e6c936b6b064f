from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from config.ids import new_id
from config.needs import Meter
from quotas import ledger
from quotas.models import UsageEvent
from quotas.refusals import QuotaExceeded
from tests.quotas.conftest import NOON

pytestmark = pytest.mark.django_db
Granted = Callable[..., None]


def take(
    tenant_id: UUID,
    key: str,
    quantity: int = 1,
    meter: Meter = Meter.CONTACTS,
    now: datetime = NOON,
) -> None:
    ledger.consume(tenant_id=tenant_id, meter=meter, quantity=quantity, key=key, now=now)


def give_back(
    tenant_id: UUID,
    key: str,
    quantity: int = 1,
    meter: Meter = Meter.CONTACTS,
    now: datetime = NOON,
) -> None:
    ledger.refund(tenant_id=tenant_id, meter=meter, quantity=quantity, key=key, now=now)


def used(tenant_id: UUID, meter: Meter = Meter.CONTACTS, now: datetime = NOON) -> int:
    return {one.meter: one.used for one in ledger.usage(tenant_id=tenant_id, now=now)}[meter]


def test_the_last_unit_is_usable_and_one_more_never(granted: Granted) -> None:
    tenant_id = new_id()
    granted(tenant_id, contacts=3)
    for number in range(3):
        take(tenant_id, f"contact:{number}")
    with pytest.raises(QuotaExceeded):
        take(tenant_id, "contact:3")
    assert used(tenant_id) == 3


def test_the_refusal_names_the_limit_and_the_plan_that_would_allow_it(granted: Granted) -> None:
    tenant_id = new_id()
    granted(tenant_id, plan="free", contacts=500)
    take(tenant_id, "import:1", 490)
    with pytest.raises(QuotaExceeded) as refused:
        take(tenant_id, "import:2", 5_000)
    assert refused.value.facts == {
        "meter": "contacts", "limit": 500, "used": 490, "asked": 5_000,
        "resets_at": None, "upgrade_to": "growth",
    }  # fmt: skip


def test_a_monthly_meter_says_when_it_resets(granted: Granted) -> None:
    tenant_id = new_id()
    granted(tenant_id, campaigns=0)
    with pytest.raises(QuotaExceeded) as refused:
        take(tenant_id, "campaign:1", meter=Meter.CAMPAIGNS)
    assert refused.value.facts["resets_at"] == "2026-12-01T00:00:00Z"
    assert refused.value.facts["upgrade_to"] is None


def test_many_units_are_taken_all_or_none(granted: Granted) -> None:
    tenant_id = new_id()
    granted(tenant_id, contacts=10)
    take(tenant_id, "batch:1", 7)
    with pytest.raises(QuotaExceeded):
        take(tenant_id, "batch:2", 4)
    take(tenant_id, "batch:3", 3)
    assert used(tenant_id) == 10


def test_the_same_key_counts_once(granted: Granted) -> None:
    tenant_id = new_id()
    granted(tenant_id, contacts=10)
    for _ in range(3):
        take(tenant_id, "batch:1", 4)
    assert used(tenant_id) == 4


def test_a_known_key_passes_even_when_nothing_is_left(granted: Granted) -> None:
    tenant_id = new_id()
    granted(tenant_id, contacts=1)
    take(tenant_id, "contact:1")
    take(tenant_id, "contact:1")
    assert used(tenant_id) == 1


def test_keys_of_different_meters_and_tenants_do_not_meet(granted: Granted) -> None:
    one, other = new_id(), new_id()
    for tenant_id in (one, other):
        granted(tenant_id, contacts=5, seats=5)
        take(tenant_id, "same")
        take(tenant_id, "same", meter=Meter.SEATS)
    assert [used(one), used(other), used(one, Meter.SEATS)] == [1, 1, 1]


def test_a_refused_key_is_unused_and_counts_once_there_is_room(granted: Granted) -> None:
    tenant_id = new_id()
    granted(tenant_id, plan="free", contacts=1)
    with pytest.raises(QuotaExceeded):
        take(tenant_id, "batch:1", 2)
    granted(tenant_id, plan="starter", contacts=2)
    take(tenant_id, "batch:1", 2)
    assert used(tenant_id) == 2


def test_an_unlimited_meter_counts_on(granted: Granted) -> None:
    tenant_id = new_id()
    granted(tenant_id, contacts=None)
    take(tenant_id, "batch:1", 10**12)
    assert used(tenant_id) == 10**12
    assert ledger.remaining(tenant_id=tenant_id, meter=Meter.CONTACTS, now=NOON) is None


def test_what_no_grant_names_is_refused() -> None:
    with pytest.raises(QuotaExceeded):
        take(new_id(), "contact:1")


def test_nothing_is_taken_for_a_quantity_of_none() -> None:
    tenant_id = new_id()
    take(tenant_id, "batch:1", 0)
    assert not UsageEvent.objects.filter(tenant_id=tenant_id).exists()


def test_a_negative_quantity_is_a_fault_of_ours() -> None:
    with pytest.raises(ValueError, match="whole number"):
        take(new_id(), "batch:1", -1)


def test_a_month_starts_from_zero(granted: Granted) -> None:
    tenant_id = new_id()
    granted(tenant_id, campaigns=1)
    december = datetime(2026, 12, 1, tzinfo=UTC)
    take(tenant_id, "campaign:1", meter=Meter.CAMPAIGNS, now=december - timedelta(microseconds=1))
    take(tenant_id, "campaign:2", meter=Meter.CAMPAIGNS, now=december)
    assert used(tenant_id, Meter.CAMPAIGNS, december) == 1


def test_a_lowered_limit_leaves_nothing_and_refuses(granted: Granted) -> None:
    tenant_id = new_id()
    granted(tenant_id, contacts=10)
    take(tenant_id, "batch:1", 10)
    granted(tenant_id, contacts=5)
    assert ledger.remaining(tenant_id=tenant_id, meter=Meter.CONTACTS, now=NOON) == 0
    with pytest.raises(QuotaExceeded):
        take(tenant_id, "contact:11")


def test_a_refund_gives_back_once(granted: Granted) -> None:
    tenant_id = new_id()
    granted(tenant_id, contacts=2)
    take(tenant_id, "contact:1")
    take(tenant_id, "contact:2")
    for _ in range(2):
        give_back(tenant_id, "contact:1")
    assert ledger.remaining(tenant_id=tenant_id, meter=Meter.CONTACTS, now=NOON) == 1


def test_a_refund_never_goes_below_zero_and_the_events_add_up(granted: Granted) -> None:
    tenant_id = new_id()
    granted(tenant_id, contacts=10)
    take(tenant_id, "batch:1", 3)
    give_back(tenant_id, "purge", 5)
    assert used(tenant_id) == 0
    events = UsageEvent.objects.filter(tenant_id=tenant_id).order_by("kind")
    assert [(each.kind, each.quantity) for each in events] == [("consumed", 3), ("refunded", 3)]


def test_a_refund_without_any_use_is_nothing() -> None:
    tenant_id = new_id()
    give_back(tenant_id, "contact:1")
    assert used(tenant_id) == 0


def test_a_refund_goes_back_to_the_period_that_was_charged(granted: Granted) -> None:
    tenant_id = new_id()
    granted(tenant_id, campaigns=5)
    december = NOON + timedelta(days=15)
    take(tenant_id, "campaign:1", meter=Meter.CAMPAIGNS)
    take(tenant_id, "campaign:2", meter=Meter.CAMPAIGNS, now=december)
    give_back(tenant_id, "campaign:1", meter=Meter.CAMPAIGNS, now=december)
    assert used(tenant_id, Meter.CAMPAIGNS, NOON) == 0
    assert used(tenant_id, Meter.CAMPAIGNS, december) == 1


def test_usage_shows_every_meter(granted: Granted) -> None:
    tenant_id = new_id()
    granted(tenant_id, contacts=10, seats=None)
    take(tenant_id, "batch:1", 4)
    found = {one.meter: one for one in ledger.usage(tenant_id=tenant_id, now=NOON)}
    contacts, seats = found[Meter.CONTACTS], found[Meter.SEATS]
    assert set(found) == set(Meter)
    assert (contacts.limit, contacts.used, contacts.remaining, contacts.resets_at) == (
        10,
        4,
        6,
        None,
    )
    assert (seats.limit, seats.used, seats.remaining) == (None, 0, None)
    assert found[Meter.API_CALLS].resets_at == datetime(2026, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize("events", [1, 3])
def test_consuming_asks_the_database_twice(
    granted: Granted, django_assert_num_queries: Any, events: int
) -> None:
    tenant_id = new_id()
    granted(tenant_id, contacts=10)
    for number in range(events):
        with django_assert_num_queries(2):
            take(tenant_id, f"contact:{number}")
