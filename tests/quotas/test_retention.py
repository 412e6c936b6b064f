"""The ledger's months: made ahead, dropped when old, and never missing for a row."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from config.ids import new_id
from config.months import MonthlyTable, make_months, partition_by_month
from config.needs import Meter
from quotas import retention
from quotas.models import UsageEvent, UsageKey, UsageTotal
from tenants.engine.owner import owner_connection
from tests.quotas.test_ledger import give_back, take, used

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = datetime(2024, 2, 29, 23, 59, tzinfo=UTC)


def part_of(tenant_id: Any) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT tableoid::regclass::text FROM public.quotas_usageevent"
            " WHERE tenant_id = %s",
            [tenant_id],
        )
        return {name.removeprefix("public.") for (name,) in cursor.fetchall()}


def taken(tenant_id: Any, key: str, quantity: int, now: datetime) -> None:
    from django.db import transaction

    with transaction.atomic():
        take(tenant_id, key, quantity, now=now)


def test_a_row_of_a_month_without_a_part_is_kept_and_moved_into_its_month(granted: Any) -> None:
    tenant_id = new_id()
    granted(tenant_id, contacts=10, now=LONG_AGO)
    taken(tenant_id, "first", 3, LONG_AGO)
    assert part_of(tenant_id) == {"quotas_usageevent_rest"}

    with closing(owner_connection()) as owner, owner.transaction(), owner.cursor() as cursor:
        made = make_months(cursor, retention.EVENTS, now=datetime.now(UTC))

    assert "quotas_usageevent_y2024m02" in made
    assert part_of(tenant_id) == {"quotas_usageevent_y2024m02"}
    taken(tenant_id, "first", 3, LONG_AGO + timedelta(days=31))
    assert used(tenant_id) == 3


def test_an_old_month_goes_with_its_keys_and_the_totals_stay(granted: Any, now: datetime) -> None:
    tenant_id = new_id()
    granted(tenant_id, contacts=10, now=LONG_AGO)
    taken(tenant_id, "old", 4, LONG_AGO)
    taken(tenant_id, "new", 2, now)

    retention.keep_months(now=now)
    made, dropped = retention.keep_months(now=now)

    assert (made, dropped) == ([], [])
    assert [event.key for event in UsageEvent.objects.filter(tenant_id=tenant_id)] == ["new"]
    assert UsageKey.objects.filter(tenant_id=tenant_id).count() == 1
    total = UsageTotal.objects.get(tenant_id=tenant_id)
    assert (total.used, total.carried) == (6, 4)
    assert retention.imbalances(connection) == []
    # What was taken under the forgotten key can still be given back.
    from django.db import transaction

    with transaction.atomic():
        give_back(tenant_id, "old", 4, now=now)
    assert (used(tenant_id), retention.imbalances(connection)) == (2, [])


def test_a_key_counts_once_on_both_sides_of_a_months_end(granted: Any) -> None:
    tenant_id = new_id()
    last, first = datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    granted(tenant_id, contacts=10)

    for now in (last, first, last):
        taken(tenant_id, "import:1", 3, now)

    assert used(tenant_id) == 3
    assert UsageEvent.objects.filter(tenant_id=tenant_id).count() == 1


def test_an_imbalance_is_found_to_the_unit(granted: Any, now: datetime) -> None:
    tenant_id = new_id()
    granted(tenant_id, seats=10)
    from django.db import transaction

    with transaction.atomic():
        take(tenant_id, "member:1", 5, meter=Meter.SEATS, now=now)
    UsageTotal.objects.filter(tenant_id=tenant_id).update(used=6)

    assert [(row[1], row[3], row[4]) for row in retention.imbalances(connection)] == [
        ("seats", 6, 5)
    ]


def test_any_table_can_be_parted_by_month_with_its_rows_unless_a_key_would_lose_its_meaning() -> (
    None
):
    inbox = MonthlyTable("months_inbox", "received_at")
    with closing(owner_connection(autocommit=False)) as owner, owner.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE public.months_inbox (id int PRIMARY KEY, received_at timestamptz)"
        )
        cursor.execute("ALTER TABLE public.months_inbox ALTER received_at SET NOT NULL")
        cursor.execute("CREATE INDEX months_inbox_age ON public.months_inbox (received_at)")
        cursor.execute(
            "INSERT INTO public.months_inbox SELECT n, '2026-01-15'::timestamptz + n * interval '9 days'"
            " FROM generate_series(1, 40) AS n"
        )
        moved = partition_by_month(cursor, inbox, now=datetime(2026, 6, 1, tzinfo=UTC))
        cursor.execute("SELECT count(*), count(DISTINCT tableoid) FROM public.months_inbox")
        # Jan to Sep have parts (three months ahead of June); what is later waits in the rest.
        assert (moved, cursor.fetchone()) == (40, (40, 10))
        cursor.execute(
            "CREATE TABLE public.months_hook (id int PRIMARY KEY, at timestamptz, ref text UNIQUE)"
        )
        with pytest.raises(ValueError, match="unique within each month only"):
            partition_by_month(
                cursor, MonthlyTable("months_hook", "at"), now=datetime(2026, 6, 1, tzinfo=UTC)
            )
        owner.rollback()
