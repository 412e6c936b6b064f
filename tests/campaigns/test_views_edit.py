from datetime import timedelta

import pytest

from apps.campaigns.models import Campaign
from config.ids import new_id
from tenants.isolation import tenant_context
from tests.campaigns.asking import URL, made

NEW = {
    "name": "New",
    "description": "new",
    "type": "sms",
    "budget": {"amount": 7, "currency": "EUR"},
    "starts_at": "2031-01-01T00:00:00Z",
    "ends_at": "2031-02-01T00:00:00Z",
    "target_audience": {"city": "Lima"},
}


@pytest.mark.parametrize("status", ["draft", "scheduled"])
@pytest.mark.parametrize("field", sorted(NEW))
def test_every_field_of_a_draft_or_scheduled_campaign_can_change(acme, api, now, status, field):
    campaign = made(acme, status=status, starts_at=now + timedelta(days=1))

    answer = api(acme).patch(f"{URL}/{campaign.pk}", {field: NEW[field]})

    assert answer[field] == NEW[field]
    assert answer["status"] == status
    assert answer["updated_at"] > answer["created_at"]
    assert api(acme).get(f"{URL}/{campaign.pk}") == answer


@pytest.mark.parametrize("field", ["name", "ends_at"])
def test_what_is_around_a_paused_campaign_can_change(acme, api, field):
    campaign = made(acme, status="paused")

    assert api(acme).patch(f"{URL}/{campaign.pk}", {field: NEW[field]})[field] == NEW[field]


def test_the_budget_of_a_paused_campaign_can_change_and_not_its_currency(acme, api):
    client, path = api(acme), f"{URL}/{made(acme, status='paused').pk}"

    assert client.patch(path, {"budget": {"amount": 9, "currency": "USD"}})["budget"]["amount"] == 9
    refused = client.patch(path, {"budget": {"amount": 9, "currency": "EUR"}}, status=409)

    assert (refused["code"], refused["frozen"]) == ("campaign_frozen", ["budget_currency"])


@pytest.mark.parametrize(
    ("status", "field"),
    [
        *[("paused", field) for field in ("description", "type", "starts_at", "target_audience")],
        *[(status, field) for status in ("active", "completed", "cancelled") for field in NEW],
    ],
)
def test_what_was_said_is_frozen_once_a_campaign_was_active(acme, api, status, field):
    campaign = made(acme, status=status)
    client = api(acme)
    before = client.get(f"{URL}/{campaign.pk}")

    answer = client.patch(f"{URL}/{campaign.pk}", {field: NEW[field]}, status=409)

    assert (answer["code"], answer["status"]) == ("campaign_frozen", 409)
    assert client.get(f"{URL}/{campaign.pk}") == before


def test_a_patch_that_changes_nothing_is_no_change_even_when_frozen(acme, api):
    client = api(acme)
    campaign = made(acme, status="active", name="Spring")
    before = client.get(f"{URL}/{campaign.pk}")

    assert client.patch(f"{URL}/{campaign.pk}", {"name": "Spring"}) == before
    assert client.patch(f"{URL}/{campaign.pk}", {}) == before


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"starts_at": None}, "starts_at"),
        ({"starts_at": "2020-01-01T00:00:00Z"}, "starts_at"),
        ({"ends_at": "2020-01-01T00:00:00Z"}, "ends_at"),
        ({"budget": {"amount": 5}}, "budget"),
        ({"status": "active"}, "status"),
        ({"id": str(new_id())}, "id"),
    ],
)
def test_a_scheduled_campaign_refuses_a_patch_that_would_break_it(acme, api, now, changes, field):
    campaign = made(acme, status="scheduled", starts_at=now + timedelta(days=1))

    answer = api(acme).patch(f"{URL}/{campaign.pk}", changes, status=400)

    assert list(answer["errors"]) == [field]


def test_a_draft_can_be_deleted_and_nothing_else(acme, api):
    client = api(acme)
    draft, running = made(acme), made(acme, status="active")

    client.delete(f"{URL}/{draft.pk}")
    answer = client.delete(f"{URL}/{running.pk}", status=409)

    assert answer["code"] == "campaign_not_draft"
    with tenant_context(acme):
        assert list(Campaign.objects.all()) == [running]
