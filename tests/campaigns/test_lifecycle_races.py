from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from apps.campaigns.models import Campaign, CampaignTransition
from apps.campaigns.services import clock, lifecycle
from apps.campaigns.services.lifecycle import CampaignTransitionRefused, Verb
from tenants.isolation import tenant_context
from tests.factories_campaigns import CampaignFactory

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 8


def in_threads(tenant, work):
    """The answers of `work(n)` from THREADS threads at once, each with a connection of its own."""

    def alone(number):
        try:
            with tenant_context(tenant):
                return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(alone, range(THREADS)))


def test_of_many_who_activate_at_once_one_does_and_the_others_are_told(acme, now):
    with tenant_context(acme):
        campaign = CampaignFactory()

    def activate(_):
        try:
            lifecycle.move(campaign_id=campaign.pk, verb=Verb.ACTIVATE, by_id=None, now=now)
        except CampaignTransitionRefused as refused:
            return refused.facts["from"]
        return "done"

    answers = in_threads(acme, activate)

    assert sorted(answers) == ["active"] * (THREADS - 1) + ["done"]
    with tenant_context(acme):
        assert CampaignTransition.objects.count() == 1


def test_ticks_side_by_side_start_each_campaign_once(acme, now):
    with tenant_context(acme):
        CampaignFactory.create_batch(50, status=Campaign.Status.SCHEDULED, starts_at=now)

    ticks = in_threads(acme, lambda _: clock.tick(now=now))

    assert sum(tick.started for tick in ticks) == 50
    with tenant_context(acme):
        assert CampaignTransition.objects.count() == 50
        assert Campaign.objects.filter(status=Campaign.Status.ACTIVE).count() == 50
