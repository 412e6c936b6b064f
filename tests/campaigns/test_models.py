from datetime import timedelta

import pytest
from django.db import DataError, IntegrityError, connection, transaction

from apps.campaigns.models import Campaign, CampaignTransition
from tenants.isolation import tenant_context
from tests.factories_campaigns import CampaignFactory, CampaignTransitionFactory

LONG_AGO = timedelta(days=-1)


@pytest.fixture
def campaign(acme, now):
    with tenant_context(acme):
        yield CampaignFactory(starts_at=now)


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"name": ""}, "campaign_has_name"),
        ({"name": " \t\n"}, "campaign_has_name"),
        ({"type": "fax"}, "campaign_type_is_known"),
        ({"type": ""}, "campaign_type_is_known"),
        ({"status": "running"}, "campaign_status_is_known"),
        ({"budget_minor": 0}, "campaign_budget_is_positive"),
        ({"budget_minor": -1}, "campaign_budget"),
        ({"budget_currency": "usd"}, "campaign_currency_is_a_code"),
        ({"budget_currency": "US"}, "campaign_currency_is_a_code"),
        ({"budget_currency": ""}, "campaign_currency_is_a_code"),
        ({"status": "scheduled", "starts_at": None}, "campaign_that_runs_has_start"),
        ({"status": "active", "starts_at": None}, "campaign_that_runs_has_start"),
        ({"status": "paused", "starts_at": None}, "campaign_that_runs_has_start"),
        ({"status": "completed", "starts_at": None}, "campaign_that_runs_has_start"),
    ],
)
def test_the_database_refuses_what_no_campaign_may_be(campaign, changes, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Campaign.objects.filter(pk=campaign.pk).update(**changes)


@pytest.mark.parametrize("seconds", [0, -1])
def test_the_database_refuses_an_end_that_is_not_after_the_start(campaign, seconds):
    end = campaign.starts_at + timedelta(seconds=seconds)
    with pytest.raises(IntegrityError, match="campaign_ends_after_start"), transaction.atomic():
        Campaign.objects.filter(pk=campaign.pk).update(ends_at=end)


@pytest.mark.parametrize("changes", [{"name": "n" * 201}, {"budget_currency": "USDX"}])
def test_the_database_refuses_what_is_too_long(campaign, changes):
    with pytest.raises(DataError), transaction.atomic():
        Campaign.objects.filter(pk=campaign.pk).update(**changes)


def test_the_database_takes_a_name_of_200_characters_of_any_script(campaign):
    name = "ñ漢🎉a" * 50

    Campaign.objects.filter(pk=campaign.pk).update(name=name)

    campaign.refresh_from_db()
    assert campaign.name == name


def test_a_transition_changes_the_status(campaign):
    move = CampaignTransitionFactory(campaign=campaign)
    with pytest.raises(IntegrityError, match="changes_status"), transaction.atomic():
        CampaignTransition.objects.filter(pk=move.pk).update(to_status="draft")


def test_due_missed_and_over_share_no_campaign_and_leave_the_others_alone(campaign, now):
    day = timedelta(days=1)
    due = CampaignFactory(status="scheduled", starts_at=now)
    due_with_end = CampaignFactory(status="scheduled", starts_at=now - day, ends_at=now + day)
    CampaignFactory(status="scheduled", starts_at=now + timedelta(seconds=1))
    missed = CampaignFactory(status="scheduled", starts_at=now - 2 * day, ends_at=now)
    over = CampaignFactory(status="active", starts_at=now - day, ends_at=now)
    paused_over = CampaignFactory(status="paused", starts_at=now - day, ends_at=now - day / 2)
    CampaignFactory(status="active", starts_at=now - day)
    CampaignFactory(status="completed", starts_at=now - 2 * day, ends_at=now - day)
    CampaignFactory(status="cancelled", starts_at=now - 2 * day, ends_at=now - day)

    assert set(Campaign.objects.due(now)) == {due, due_with_end}
    assert set(Campaign.objects.missed(now)) == {missed}
    assert set(Campaign.objects.over(now)) == {over, paused_over}


@pytest.fixture
def _few_rows_are_many(campaign):
    """So few rows fit one page: without this the planner reads them all, rightly."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")


@pytest.mark.usefixtures("_few_rows_are_many")
def test_each_index_is_earned_by_a_query(campaign, now):
    paused = Campaign.objects.filter(status="paused").order_by("-id")
    history = campaign.transitions.order_by("-id")

    assert "campaign_due" in Campaign.objects.due(now).explain()
    assert "campaign_over" in Campaign.objects.over(now).explain()
    assert "campaign_by_status" in paused.explain()
    assert "campaign_transition_history" in history.explain()
