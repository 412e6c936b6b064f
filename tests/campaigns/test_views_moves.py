from datetime import timedelta

import pytest

from config.ids import new_id
from tests.campaigns.asking import URL, VERBS, WISH, made, rfc3339


def test_a_campaigns_life_through_the_api(acme, api, now):
    client = api(acme)
    path = f"{URL}/{client.post(URL, WISH)['id']}"
    start = rfc3339(now + timedelta(days=1))

    assert (
        client.post(f"{path}/schedule", {"starts_at": start}, status=200)["status"] == "scheduled"
    )
    assert client.post(f"{path}/activate", status=200)["status"] == "active"
    assert client.post(f"{path}/pause", {"reason": "typo"}, status=200)["status"] == "paused"
    assert client.post(f"{path}/resume", status=200)["status"] == "active"
    assert client.post(f"{path}/complete", status=200)["status"] == "completed"
    refused = client.post(f"{path}/cancel", status=409)
    standing = client.get(f"{path}/status")

    assert (refused["code"], refused["from"], refused["to"], refused["allowed"]) == (
        "campaign_transition_refused",
        "completed",
        "cancelled",
        [],
    )
    assert (standing["status"], standing["allowed"]) == ("completed", [])
    assert standing["campaign_id"] == standing["id"] == path.rpartition("/")[2]
    assert standing["since"] == standing["history"][0]["at"]
    assert [
        (move["from_status"], move["to_status"], move["by_id"], move["reason"])
        for move in reversed(standing["history"])
    ] == [
        (before, after, str(client.member.person_id), reason)
        for before, after, reason in (
            ("draft", "scheduled", ""),
            ("scheduled", "active", ""),
            ("active", "paused", "typo"),
            ("paused", "active", ""),
            ("active", "completed", ""),
        )
    ]


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_takes_a_reason_and_refuses_other_fields(acme, api, verb):
    path = f"{URL}/{made(acme).pk}/{verb}"

    answer = api(acme).post(path, {"force": True, "reason": "r" * 501}, status=400)

    assert sorted(answer["errors"]) == ["force", "reason"]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("role", ["member", "read_only", "billing"])
def test_only_editors_and_those_above_move_a_campaign(acme, api, verb, role):
    campaign = made(acme)

    answer = api(acme, role).post(f"{URL}/{campaign.pk}/{verb}", status=403)

    assert answer["code"] == "permission_denied"


@pytest.mark.parametrize("role", ["read_only", "billing"])
def test_those_who_only_read_neither_make_nor_change_nor_delete(acme, api, role):
    client, campaign = api(acme, role), made(acme)

    assert len(client.get(URL)["results"]) == 1
    client.post(URL, WISH, status=403)
    client.patch(f"{URL}/{campaign.pk}", {"name": "x"}, status=403)
    client.delete(f"{URL}/{campaign.pk}", status=403)


@pytest.mark.parametrize("tail", ["", "/status", *[f"/{verb}" for verb in VERBS]])
def test_another_tenants_campaign_and_a_malformed_id_are_not_found(acme, globex, api, tail):
    client, foreign = api(acme), made(globex)
    ask = client.get if tail in {"", "/status"} else client.post

    for pk in (foreign.pk, new_id(), "not-an-id", "1"):
        answer = ask(f"{URL}/{pk}{tail}", status=404)
        assert answer["code"] == "not_found"
