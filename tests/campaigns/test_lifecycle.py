from datetime import timedelta

import pytest

from apps.campaigns.models import Campaign, CampaignTransition
from apps.campaigns.services import lifecycle
from apps.campaigns.services.lifecycle import CampaignIsOver, CampaignTransitionRefused, Verb
from config.errors import NotFound, ValidationFailed
from config.ids import new_id
from tenants.isolation import tenant_context
from tests.factories_campaigns import CampaignFactory

Status = Campaign.Status
PERSON = new_id()

# Written out, and not taken from the code: what each verb makes of each state; None is refused.
MATRIX = {
    ("draft", "schedule"): "scheduled",
    ("draft", "activate"): "active",
    ("draft", "pause"): None,
    ("draft", "resume"): None,
    ("draft", "complete"): None,
    ("draft", "cancel"): "cancelled",
    ("scheduled", "schedule"): None,
    ("scheduled", "activate"): "active",
    ("scheduled", "pause"): None,
    ("scheduled", "resume"): None,
    ("scheduled", "complete"): None,
    ("scheduled", "cancel"): "cancelled",
    ("active", "schedule"): None,
    ("active", "activate"): None,
    ("active", "pause"): "paused",
    ("active", "resume"): None,
    ("active", "complete"): "completed",
    ("active", "cancel"): "cancelled",
    ("paused", "schedule"): None,
    ("paused", "activate"): None,
    ("paused", "pause"): None,
    ("paused", "resume"): "active",
    ("paused", "complete"): "completed",
    ("paused", "cancel"): "cancelled",
    **{("completed", verb.value): None for verb in Verb},
    **{("cancelled", verb.value): None for verb in Verb},
}
ALLOWED = {
    "draft": ["schedule", "activate", "cancel"],
    "scheduled": ["activate", "cancel"],
    "active": ["pause", "complete", "cancel"],
    "paused": ["resume", "complete", "cancel"],
    "completed": [],
    "cancelled": [],
}
WISHED = {
    "schedule": "scheduled",
    "activate": "active",
    "pause": "paused",
    "resume": "active",
    "complete": "completed",
    "cancel": "cancelled",
}


@pytest.fixture
def stall(acme):
    with tenant_context(acme):
        yield acme


def test_the_matrix_covers_every_state_and_verb():
    assert set(MATRIX) == {(status.value, verb.value) for status in Status for verb in Verb}


@pytest.mark.parametrize(("status", "verb"), sorted(MATRIX))
def test_each_verb_in_each_state_moves_or_is_refused_as_the_matrix_says(stall, now, status, verb):
    campaign = CampaignFactory(status=status, starts_at=now + timedelta(days=1))
    target = MATRIX[status, verb]

    if target is None:
        with pytest.raises(CampaignTransitionRefused) as refused:
            lifecycle.move(campaign_id=campaign.pk, verb=Verb(verb), by_id=PERSON, now=now)
        assert refused.value.facts == {
            "from": status,
            "to": WISHED[verb],
            "allowed": ALLOWED[status],
        }
        target = status
        history = []
    else:
        lifecycle.move(
            campaign_id=campaign.pk, verb=Verb(verb), by_id=PERSON, reason="why", now=now
        )
        history = [(status, target, PERSON, "why", now)]

    campaign.refresh_from_db()
    assert campaign.status == target
    assert (
        list(
            CampaignTransition.objects.values_list(
                "from_status", "to_status", "by_id", "reason", "at"
            )
        )
        == history
    )


def test_schedule_takes_the_given_start(stall, now):
    campaign = CampaignFactory(starts_at=now + timedelta(days=1))
    start = now + timedelta(days=2)

    lifecycle.schedule(campaign_id=campaign.pk, starts_at=start, by_id=None, now=now)

    campaign.refresh_from_db()
    assert (campaign.status, campaign.starts_at, campaign.updated_at) == ("scheduled", start, now)


@pytest.mark.parametrize("start", [None, timedelta(0), timedelta(seconds=-1)])
def test_schedule_refuses_a_start_that_is_unknown_or_not_ahead(stall, now, start):
    campaign = CampaignFactory()

    with pytest.raises(ValidationFailed) as refused:
        lifecycle.schedule(
            campaign_id=campaign.pk,
            starts_at=None if start is None else now + start,
            by_id=None,
            now=now,
        )

    assert list(refused.value.facts["errors"]) == ["starts_at"]
    campaign.refresh_from_db()
    assert campaign.status == "draft"


def test_schedule_refuses_an_end_that_is_not_after_the_start(stall, now):
    campaign = CampaignFactory(ends_at=now + timedelta(days=1))

    with pytest.raises(ValidationFailed) as refused:
        lifecycle.schedule(
            campaign_id=campaign.pk, starts_at=now + timedelta(days=1), by_id=None, now=now
        )

    assert list(refused.value.facts["errors"]) == ["ends_at"]


@pytest.mark.parametrize(
    ("planned", "kept"), [(None, 0), (timedelta(days=3), 0), (timedelta(days=-3), -3)]
)
def test_activation_makes_now_the_start_unless_it_lies_behind(stall, now, planned, kept):
    campaign = CampaignFactory(starts_at=None if planned is None else now + planned)

    lifecycle.move(campaign_id=campaign.pk, verb=Verb.ACTIVATE, by_id=None, now=now)

    campaign.refresh_from_db()
    assert campaign.starts_at == now + timedelta(days=kept)


@pytest.mark.parametrize(
    ("status", "verb"),
    [("draft", Verb.ACTIVATE), ("scheduled", Verb.ACTIVATE), ("paused", Verb.RESUME)],
)
def test_a_campaign_whose_end_has_passed_does_not_become_active(stall, now, status, verb):
    campaign = CampaignFactory(status=status, starts_at=now - timedelta(days=2), ends_at=now)

    with pytest.raises(CampaignIsOver) as refused:
        lifecycle.move(campaign_id=campaign.pk, verb=verb, by_id=None, now=now)

    assert refused.value.facts == {"ends_at": now}


@pytest.mark.parametrize("verb", list(Verb))
def test_no_verb_finds_a_campaign_that_does_not_exist(stall, now, verb):
    with pytest.raises(NotFound):
        lifecycle.move(campaign_id=new_id(), verb=verb, by_id=None, now=now)


def test_standing_tells_since_when_what_is_allowed_and_the_newest_moves_first(stall, now):
    campaign = CampaignFactory(created_at=now)
    fresh = lifecycle.standing(campaign_id=campaign.pk)
    later = now + timedelta(minutes=1)
    lifecycle.move(campaign_id=campaign.pk, verb=Verb.ACTIVATE, by_id=PERSON, now=now)
    lifecycle.move(campaign_id=campaign.pk, verb=Verb.PAUSE, by_id=None, now=later)

    found = lifecycle.standing(campaign_id=campaign.pk)

    assert (fresh.since, fresh.history) == (now, [])
    assert (found.status, found.since, found.allowed) == ("paused", later, ALLOWED["paused"])
    assert [(move.from_status, move.to_status) for move in found.history] == [
        ("active", "paused"),
        ("draft", "active"),
    ]
