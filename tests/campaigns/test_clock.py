from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.campaigns.models import Campaign, CampaignTransition
from apps.campaigns.services import clock
from apps.campaigns.services.clock import Tick
from apps.campaigns.tasks import start_due
from quotas.entitlements import hold
from tenants.isolation import square_context, tenant_context
from tests.factories_campaigns import CampaignFactory
from tests.owner import owners_cursor

DAY = timedelta(days=1)
NOTHING = Tick(started=0, completed=0, missed=0)


def test_a_tick_starts_completes_and_cancels_what_is_due_and_says_why(acme, now):
    with tenant_context(acme):
        due = CampaignFactory(status="scheduled", starts_at=now - DAY)
        over = CampaignFactory(status="paused", starts_at=now - DAY, ends_at=now)
        missed = CampaignFactory(status="scheduled", starts_at=now - 2 * DAY, ends_at=now - DAY)
        waiting = CampaignFactory(status="scheduled", starts_at=now + DAY)

        ticked = clock.tick(now=now)

        found = dict(Campaign.objects.values_list("pk", "status"))
        moves = set(
            CampaignTransition.objects.values_list(
                "campaign_id", "from_status", "to_status", "by_id", "reason", "at"
            )
        )
    assert ticked == Tick(started=1, completed=1, missed=1)
    assert found == {
        due.pk: "active",
        over.pk: "completed",
        missed.pk: "cancelled",
        waiting.pk: "scheduled",
    }
    assert moves == {
        (due.pk, "scheduled", "active", None, "clock: starts_at reached", now),
        (over.pk, "paused", "completed", None, "clock: ends_at reached", now),
        (missed.pk, "scheduled", "cancelled", None, "clock: ends_at passed before the start", now),
    }


def test_a_second_tick_finds_nothing_to_do(acme, now):
    with tenant_context(acme):
        CampaignFactory(status="scheduled", starts_at=now, ends_at=now + DAY)

        assert clock.tick(now=now) == Tick(started=1, completed=0, missed=0)
        assert clock.tick(now=now) == NOTHING
        assert clock.tick(now=now + DAY) == Tick(started=0, completed=1, missed=0)
        assert clock.tick(now=now + DAY) == NOTHING


@pytest.mark.parametrize("rows", [1, 3])
def test_a_tick_asks_the_database_a_fixed_number_of_times(acme, now, rows):
    with tenant_context(acme):
        CampaignFactory.create_batch(rows, status="scheduled", starts_at=now)
        with CaptureQueriesContext(connection) as asked:
            clock.tick(now=now)

    statements = [query["sql"] for query in asked if "campaigns_" in query["sql"]]
    assert [sql.split()[0] for sql in statements] == [
        "SELECT",  # missed
        "SELECT",  # due
        "UPDATE",
        "INSERT",
        "SELECT",  # those with a letter
        "SELECT",  # over
    ]


def test_the_task_visits_every_active_tenant_and_no_suspended_one(acme, globex, now):
    globex.status, globex.suspended_reason = "suspended", "unpaid"
    globex.save()
    for tenant in (acme, globex):
        with tenant_context(tenant):
            CampaignFactory(status="scheduled", starts_at=now - DAY)

    with square_context():
        assert start_due.run() == 0

    assert statuses(acme) == ["active"]
    assert statuses(globex) == ["scheduled"]


def test_a_tenant_in_trouble_does_not_hold_up_the_next_one(acme, globex, now):
    for tenant in (acme, globex):
        with tenant_context(tenant):
            CampaignFactory(status="scheduled", starts_at=now - DAY)
    first, second = sorted((acme, globex), key=lambda tenant: tenant.id)
    with owners_cursor(first) as cursor:
        cursor.execute("ALTER TABLE campaigns_campaigntransition RENAME TO gone")

    with square_context():
        assert start_due.run() == 1

    assert statuses(first) == ["scheduled"]
    assert statuses(second) == ["active"]


def test_the_task_runs_in_public_by_the_clock():
    assert start_due.public is True
    assert start_due.name == "campaigns.start_due"


def statuses(tenant):
    with tenant_context(tenant):
        return list(Campaign.objects.values_list("status", flat=True))


def test_what_is_due_at_a_tenant_that_may_not_waits_until_it_may(acme, globex, now):
    for tenant in (acme, globex):
        with tenant_context(tenant):
            CampaignFactory(status="scheduled", starts_at=now - DAY)
    hold(tenant_id=acme.pk, code="subscription_past_due")

    def states() -> list[str]:
        assert start_due.run() == 0
        found: list[str] = []
        for tenant in (acme, globex):
            with tenant_context(tenant):
                found += Campaign.objects.values_list("status", flat=True)
        return found

    assert states() == ["scheduled", "active"]
    hold(tenant_id=acme.pk, code=None)
    assert states() == ["active", "active"]
