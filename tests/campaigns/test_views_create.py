import pytest

from apps.campaigns.models import Campaign
from config.needs import Meter
from quotas import ledger
from tenants.isolation import tenant_context
from tests.campaigns.asking import BLANK, URL, WISH, rfc3339, used


def test_a_new_campaign_is_a_draft_with_its_id_twice_and_is_counted(acme, api, now):
    client = api(acme)

    answer = client.post(URL, WISH)

    with tenant_context(acme):
        row = Campaign.objects.get()
    assert answer == {
        "id": str(row.pk),
        "campaign_id": str(row.pk),
        "name": "Spring",
        "description": "",
        "type": "email",
        "status": "draft",
        "budget": {"amount": 150_000, "currency": "USD"},
        "starts_at": None,
        "ends_at": None,
        "target_audience": {},
        "created_by_id": str(client.member.person_id),
        "created_at": rfc3339(row.created_at),
        "updated_at": rfc3339(row.created_at),
    }
    assert used(acme, now) == 1
    assert client.get(f"{URL}/{row.pk}") == answer


def test_a_campaign_keeps_all_that_it_is_given(acme, api):
    wish = WISH | {
        "description": "Three mails",
        "starts_at": "2030-01-01T10:00:00+01:00",
        "ends_at": "2030-02-01T00:00:00Z",
        "target_audience": {"country": ["MX", "ES"], "age": {"from": 18}},
    }

    answer = api(acme).post(URL, wish)

    assert {name: answer[name] for name in wish} == wish | {"starts_at": "2030-01-01T09:00:00Z"}


def test_the_audience_may_be_words(acme, api):
    answer = api(acme).post(URL, WISH | {"target_audience": "Mothers in Monterrey"})

    assert answer["target_audience"] == "Mothers in Monterrey"


@pytest.mark.parametrize(
    "name", ["n", "n" * 200, "ñ漢🎉a" * 50, "Café — “Año Nuevo”", "مرحبا", "0"]
)
def test_names_of_1_to_200_characters_of_any_script_are_taken(acme, api, name):
    assert api(acme).post(URL, WISH | {"name": name})["name"] == name


@pytest.mark.parametrize("kind", ["search", "display", "social", "email", "sms", "video"])
def test_every_type_is_taken(acme, api, kind):
    assert api(acme).post(URL, WISH | {"type": kind})["type"] == kind


def test_the_campaign_beyond_the_plan_is_refused_and_leaves_nothing(globex, api, now):
    left = ledger.remaining(tenant_id=globex.id, meter=Meter.CAMPAIGNS, now=now)
    assert left is not None
    ledger.consume(
        tenant_id=globex.id, meter=Meter.CAMPAIGNS, quantity=left, key="all of them", now=now
    )

    answer = api(globex).post(URL, WISH, status=402)

    assert (answer["code"], answer["meter"], answer["used"], answer["asked"]) == (
        "quota_exceeded",
        "campaigns",
        left,
        1,
    )
    assert answer["upgrade_to"] == "growth"
    with tenant_context(globex):
        assert Campaign.objects.count() == 0


def test_the_same_idempotency_key_makes_one_campaign(acme, api, now):
    client = api(acme)

    first = client.post(URL, WISH, Idempotency_Key="spring-1")
    second = client.post(URL, WISH, Idempotency_Key="spring-1")

    assert second == first
    assert used(acme, now) == 1


def test_a_batch_answers_for_each_item_in_order(acme, api, now):
    items = [WISH, WISH | {"name": ""}, WISH | {"name": "Autumn"}]

    answer = api(acme).post(f"{URL}/batch", {"items": items}, status=207)

    with tenant_context(acme):
        ids = {row.name: str(row.pk) for row in Campaign.objects.all()}
    assert [(each["index"], each["status"], each.get("id")) for each in answer["results"]] == [
        (0, 201, ids["Spring"]),
        (1, 400, None),
        (2, 201, ids["Autumn"]),
    ]
    assert answer["results"][1]["error"]["errors"] == BLANK
    assert used(acme, now) == 2
